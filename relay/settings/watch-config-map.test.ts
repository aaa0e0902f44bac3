import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListWatchClient } from "../../lib/kube/list-watch.ts";
import { refusal } from "../../lib/kube/testing/memory-api.ts";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { watchSettingsConfigMap } from "./watch-config-map.ts";

const text = "stdout: {alerts: true}";

interface Refusals {
  readonly refusals: number;
  readonly code: 401 | 403;
}

/** One ConfigMap that never changes; `refusals` of the next watches are refused. */
function apiWith(data: Record<string, string>, { refusals, code }: Refusals): ListWatchClient {
  const metadata = { name: "settings", namespace: "ns", uid: "u", resourceVersion: "7" };
  let left = refusals;
  return {
    listPage: () =>
      Promise.resolve({
        items: [{ apiVersion: "v1", kind: "ConfigMap", metadata, data }],
        resourceVersion: "7",
        continue: "",
      }),
    watch(_resource, _scope, _query, signal) {
      if (left-- > 0) return Promise.reject(refusal(code, code === 401 ? "Unauthorized" : "Forbidden"));
      return Promise.resolve(silence(signal));
    },
  };
}

async function* silence(signal: AbortSignal): AsyncGenerator<Buffer> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  // A stream that never says anything; the yield is for the type.
  if (!signal.aborted) yield Buffer.alloc(0);
}

async function textsOf(
  data: Record<string, string>,
  refusals: number,
  code: 401 | 403 = 403,
): Promise<readonly (string | undefined)[]> {
  const clock = new FakeClock();
  const texts: (string | undefined)[] = [];
  const deps = { client: apiWith(data, { refusals, code }), clock, random: () => 0.5, log: silentLog };
  const restarts: string[] = [];
  await using watch = watchSettingsConfigMap({ namespace: "ns", name: "settings" }, deps, {
    onRead: (said) => texts.push(said.kind === "text" ? said.text : undefined),
    onRestart: (reason) => restarts.push(reason),
  });
  await watch.synced;
  for (let passed = 0; passed < 5; passed++) {
    await settle();
    clock.advance(5_000);
  }
  await settle();
  assert.equal(restarts.length, refusals);
  return texts.filter((one, index) => index === 0 || one !== texts[index - 1]);
}

test("watchSettingsConfigMap() reports the text under its key", async () => {
  assert.deepEqual(await textsOf({ "config.yaml": text, other: "x" }, 0), [text]);
});

test("watchSettingsConfigMap() reports nothing for a ConfigMap without the key", async () => {
  assert.deepEqual(await textsOf({ other: "x" }, 0), [undefined]);
});

test("watchSettingsConfigMap() does not trust what it knows while it is refused, and does again when it is not", async () => {
  for (const code of [401, 403] as const)
    assert.deepEqual(await textsOf({ "config.yaml": text }, 1, code), [text, undefined, text]);
});
