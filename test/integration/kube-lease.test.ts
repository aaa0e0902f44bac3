import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { createEventRecorder, referenceTo } from "../../lib/kube/events.ts";
import { type Election, startElection } from "../../lib/kube/lease.ts";
import { configMaps, events, leases } from "../../lib/kube/resources.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { type Client, clusterOf, configMap, connectTo, eventually } from "./kube-harness.ts";

let plane: ControlPlane;
let client: Client;

before(async () => {
  plane = await startControlPlane();
  client = connectTo(await clusterOf(plane.kubeconfig));
});

after(async () => {
  await client[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

const deps = { clock: systemClock, random: Math.random, log: silentLog };

function join(name: string, identity: string): Election {
  // Shorter than the defaults, in whole seconds as a Lease has them.
  const times = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 200 };
  return startElection({ namespace: "default", name, identity, ...times }, { client, ...deps });
}

async function holderOf(name: string): Promise<unknown> {
  return (await client.get(leases, { namespace: "default", name }))?.["spec"];
}

test("startElection(): of two candidates one leads, and the other after its release", async () => {
  const candidates = [join("contended", "one"), join("contended", "two")];
  await Promise.race(candidates.map((candidate) => candidate.acquired));
  const leaders = candidates.filter((candidate) => candidate.mayWrite());
  assert.equal(leaders.length, 1);
  const [leader] = leaders;
  const standby = candidates.find((candidate) => candidate !== leader);
  assert.ok(leader !== undefined && standby !== undefined);
  await leader[Symbol.asyncDispose]();
  await standby.acquired;
  assert.deepEqual([leader.mayWrite(), standby.mayWrite()], [false, true]);
  await standby[Symbol.asyncDispose]();
  const spec = (await holderOf("contended")) as { holderIdentity?: string; leaseTransitions: number };
  // The server drops an empty holder.
  assert.equal(spec.holderIdentity ?? "", "");
  assert.ok(spec.leaseTransitions >= 1);
});

test("startElection() takes over from a holder that stopped renewing, and the old one may not write", async () => {
  const abandoned = startElection(
    {
      namespace: "default",
      name: "abandoned",
      identity: "gone",
      leaseDurationMs: 3_000,
      renewDeadlineMs: 2_000,
      retryPeriodMs: 200,
    },
    {
      ...deps,
      // Its first write is its last.
      client: { ...bound(client), replace: () => Promise.reject(new Error("cut off")) },
    },
  );
  await abandoned.acquired;
  await using heir = join("abandoned", "heir");
  await abandoned.lost;
  assert.deepEqual([abandoned.mayWrite(), heir.mayWrite()], [false, false]);
  await heir.acquired;
  assert.equal(((await holderOf("abandoned")) as { holderIdentity: string }).holderIdentity, "heir");
  await abandoned[Symbol.asyncDispose]();
  assert.equal(heir.mayWrite(), true);
});

test("createEventRecorder() writes Events that the server takes, and counts repetitions in a series", async () => {
  const object = await client.create(configMaps, configMap("regarded"));
  const reporter = { controller: "operator.kubearmor.com/relay", instance: "operator-0" };
  const outcomes: string[] = [];
  const recorder = createEventRecorder(reporter, { client, ...deps, onOutcome: (outcome) => outcomes.push(outcome) });
  const facts = {
    regarding: referenceTo(object),
    type: "Warning",
    reason: "Tested",
    action: "Test",
    note: "é".repeat(600),
  } as const;
  for (let count = 0; count < 1000; count += 1) recorder.record(facts);
  await eventually("the first event is there", () => outcomes.includes("created"));
  await recorder[Symbol.asyncDispose]();
  const found = await client.list(events, { namespace: "default", fieldSelector: "reason=Tested" });
  assert.equal(found.length, 1);
  assert.equal((found[0]?.["series"] as { count: number } | undefined)?.count, 1000);
  assert.deepEqual(outcomes, ["created", "updated"]);
  // kubectl reads events through the older API.
  const printed = await plane.kubectl(["get", "events", "-n", "default", "--field-selector", "reason=Tested"]);
  assert.match(printed, /Warning\s+Tested\s+configmap\/regarded/);
});

function bound(from: Client): Pick<Client, "get" | "create" | "replace"> {
  return { get: from.get.bind(from), create: from.create.bind(from), replace: from.replace.bind(from) };
}
