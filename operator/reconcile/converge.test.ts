import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { relayResource } from "../api/relay.ts";
import { type Outcome, TerminalError } from "../engine/outcome.ts";
import { relayOf } from "../testing/samples.ts";
import { Contention } from "./contention.ts";
import { converge } from "./converge.ts";
import { StatusPace } from "./status-pace.ts";

const startMs = Date.UTC(2026, 0, 1);

/** A pass over a relay whose spec is refused, and that has these pods. */
async function refused(pods: readonly KubeObject[]): Promise<Outcome> {
  const relay = relayOf({ replicas: 99 });
  const clock = new FakeClock(startMs);
  const client = { apply: (_resource: Resource, object: KubeObject) => Promise.resolve({ ...relay, ...object }) };
  const deps = {
    view: {
      covers: () => true,
      get: (resource: Resource) => (resource === relayResource ? relay : undefined),
      childrenOf: () => [],
      relaysWanting: () => [],
      podsOf: () => pods,
      unseen: () => [],
    },
    client: client as unknown as KubeClient,
    wrote() {},
    differences: () => [],
    clock,
    log: silentLog,
    record() {},
    onWrite() {},
    onDrift() {},
    pace: new StatusPace(clock),
    contention: new Contention(clock),
  };
  const options = { defaultImage: "relay:1" };
  return await converge("kubearmor/kubearmor-relay", relay, options, deps, new AbortController().signal);
}

test("converge(): a refused spec waits for a change", async () => {
  await assert.rejects(refused([]), TerminalError);
});

test("converge(): a refused spec does not keep from what there is to be said later", async () => {
  const creationTimestamp = new Date(startMs - 60_000).toISOString();
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", creationTimestamp } };
  assert.deepEqual(await refused([pod]), { kind: "requeue-after", afterMs: 540_000 });
});
