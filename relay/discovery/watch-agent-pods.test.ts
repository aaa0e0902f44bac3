import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryApi, refusal } from "../../lib/kube/testing/memory-api.ts";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { watchAgentPods } from "./watch-agent-pods.ts";

test("watchAgentPods().states tells since when a place has been failing without a break, of whatever kind", async () => {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  api.failures.push(new Error("reset"), refusal(503, "ServiceUnavailable"), refusal(403, "Forbidden"));
  const deps = { client: api, clock, random: () => 1, log: silentLog };
  const handlers = { onPods: () => {}, onState: () => {} };
  const watch = watchAgentPods({ namespaces: ["a"], selector: "" }, deps, handlers);
  const seen: string[] = [];
  const see = async () => {
    await settle();
    for (const { state, failingSinceMs } of watch.states) {
      seen.push(`${state.kind === "failing" ? state.reason : state.kind} since ${failingSinceMs}`);
    }
  };
  clock.advance(5);
  await see();
  for (const waitMs of [800, 1_600, 3_200]) {
    clock.advance(waitMs);
    await see();
  }
  api.failures.push(new Error("reset"));
  api.disturb("reset");
  await see();
  assert.deepEqual(seen, [
    "unreachable since 5",
    "server-error since 5",
    "forbidden since 5",
    "synced since undefined",
    "unreachable since 5605",
  ]);
  await watch[Symbol.asyncDispose]();
});
