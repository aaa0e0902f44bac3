import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListWatchClient } from "../../lib/kube/list-watch.ts";
import { refusal } from "../../lib/kube/testing/memory-api.ts";
import { settle } from "../../lib/kube/testing/recording-clock.ts";
import type { KubeObject, Scope } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { endpointText } from "../nodes/agent.ts";
import { AgentDiscovery, type AgentDiscoveryOptions } from "./agent-discovery.ts";

const base: AgentDiscoveryOptions = { namespaces: ["a"], selector: "app=agent", port: undefined };

function pod(namespace: string, name: string, ip: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, uid: name, resourceVersion: "1" },
    status: { phase: "Running", podIP: ip },
  };
}

const pods = [pod("a", "one", "10.0.0.1"), pod("b", "two", "10.0.0.2")];

/** The pods above, listed when `answers` says so. */
class Api implements ListWatchClient {
  readonly answers = new Map<string, "at once" | "later" | "forbidden">();
  watching = 0;
  #waiting: (() => void)[] = [];

  listing = 0;

  async listPage(_resource: unknown, { namespace = "" }: Scope, _query: unknown, signal?: AbortSignal) {
    const answer = this.answers.get(namespace) ?? "at once";
    if (answer === "forbidden") throw refusal(403, "Forbidden");
    if (answer === "later") {
      this.listing += 1;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
      this.listing -= 1;
    }
    const items = pods.filter(({ metadata }) => namespace === "" || metadata.namespace === namespace);
    return { items, resourceVersion: "7", continue: "" };
  }

  async watch(_resource: unknown, _scope: Scope, _query: unknown, signal: AbortSignal) {
    this.watching += 1;
    signal.addEventListener("abort", () => (this.watching -= 1), { once: true });
    await Promise.resolve();
    return silence(signal);
  }

  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

async function* silence(signal: AbortSignal): AsyncGenerator<Buffer> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  // A stream that never says anything; the yield is for the type.
  if (!signal.aborted) yield Buffer.alloc(0);
}

async function start(api: Api) {
  const reports: string[] = [];
  const discovery = new AgentDiscovery(
    base,
    { client: api, clock: new FakeClock(), random: () => 0.5, log: silentLog },
    {
      onAgents: (agents) => {
        const ids = new Set(agents.map(({ id, endpoints }) => `${id}@${endpoints.map(endpointText).join()}`));
        const text = [...ids].toSorted().join(" ");
        if (text !== reports.at(-1)) reports.push(text);
      },
      onState: () => {},
    },
  );
  await settle();
  return { discovery, reports };
}

const one = "one@10.0.0.1:32767";
const two = "two@10.0.0.2:32767";

test("AgentDiscovery.apply() keeps what is known until the new places are listed, then only what is there", async () => {
  const api = new Api();
  const { discovery, reports } = await start(api);
  api.answers.set("b", "later");
  discovery.apply({ ...base, namespaces: ["b"] });
  await settle();
  assert.deepEqual(reports, [one]);
  api.answer();
  await settle();
  assert.deepEqual(reports, [one, `${one} ${two}`, two]);
  assert.equal(api.watching, 1);
  await discovery[Symbol.asyncDispose]();
  assert.equal(api.watching, 0);
});

test("AgentDiscovery.apply() never reports less than both when a place is added", async () => {
  const { discovery, reports } = await start(new Api());
  discovery.apply({ ...base, namespaces: [] });
  await settle();
  assert.deepEqual(reports, [one, `${one} ${two}`]);
  await discovery[Symbol.asyncDispose]();
});

test("AgentDiscovery.apply() keeps what is known while a new place is forbidden, and says so", async () => {
  const api = new Api();
  const { discovery, reports } = await start(api);
  api.answers.set("b", "forbidden");
  discovery.apply({ ...base, namespaces: ["b"] });
  await settle();
  assert.deepEqual(reports, [one]);
  assert.deepEqual(
    discovery.states.map(({ namespace, state }) => [namespace, state.kind]),
    [["b", "failing"]],
  );
  discovery.apply({ ...base, namespaces: ["a", "b"] });
  discovery.apply(base);
  await settle();
  assert.deepEqual(reports, [one]);
  assert.equal(api.watching, 1);
  await discovery[Symbol.asyncDispose]();
});

test("AgentDiscovery.apply() leaves no watch behind of places that were never listed", async () => {
  const api = new Api();
  const { discovery, reports } = await start(api);
  for (const namespace of ["c", "d", "e", "f"]) api.answers.set(namespace, "later");
  for (const namespace of ["c", "d", "e", "f"]) {
    discovery.apply({ ...base, namespaces: [namespace] });
    await settle();
  }
  assert.equal(api.listing, 1);
  assert.deepEqual(reports, [one]);
  api.answer();
  await settle();
  assert.deepEqual(reports, [one, ""]);
  assert.equal(api.watching, 1);
  await discovery[Symbol.asyncDispose]();
});

test("AgentDiscovery.apply() with another port reports the same agents there, by the same watches", async () => {
  const api = new Api();
  const { discovery, reports } = await start(api);
  discovery.apply({ ...base, port: 1234 });
  discovery.apply({ ...base, port: 1234 });
  await settle();
  assert.deepEqual(reports, [one, "one@10.0.0.1:1234"]);
  assert.equal(api.watching, 1);
  await discovery[Symbol.asyncDispose]();
});

test("AgentDiscovery: nothing is reported after its end, and no watch is left of any exchange", async () => {
  const api = new Api();
  const { discovery, reports } = await start(api);
  api.answers.set("b", "later");
  discovery.apply({ ...base, namespaces: ["b"] });
  await settle();
  const ended = discovery[Symbol.asyncDispose]();
  api.answer();
  await ended;
  discovery.apply({ ...base, namespaces: [] });
  await settle();
  assert.deepEqual(reports, [one]);
  assert.equal(api.watching, 0);
});
