import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { leases } from "../../lib/kube/resources.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { microTime } from "../../lib/kube/micro-time.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { type AuditedCall, auditedCalls, isOfLease, isWrite, isWriteOfObject } from "./operator-audit.ts";
import { type Identity, type OperatorChild, newIdentity, shortTimesFlags, startChild } from "./operator-child.ts";
import { type Harness, eventually, startHarness, untilCondition } from "./operator-harness.ts";

const lease = { namespace: "kubearmor-relay-system", name: "kubearmor-relay-operator" };
const at = (name: string) => ({ namespace: "led", name });
const limit = { timeout: 110_000 };

let harness: Harness;

before(async () => {
  harness = await startHarness();
  await harness.createNamespace("led");
});

after(() => harness[Symbol.asyncDispose]());

interface Candidate extends AsyncDisposable {
  readonly child: OperatorChild;
  readonly identity: Identity;
}

/** Programs that are told apart by their tokens; the first leads, and the others stand by with filled caches. */
async function startCandidates(...names: readonly string[]): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const name of names) {
    const identity = await newIdentity(harness.plane, name);
    const child = startChild(identity.kubeconfig, shortTimesFlags);
    candidates.push({ child, identity, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() });
    if (candidates.length === 1) await child.logged("Reconciling");
    else await untilStandingBy(identity);
  }
  return candidates;
}

/** It has listed every kind, and looked at the lease. */
async function untilStandingBy({ credential }: Identity): Promise<void> {
  await eventually("it stands by", async () => {
    const own = (await auditedCalls(harness.plane.auditLog)).filter((call) => call.credential === credential);
    return own.some(isOfLease) && listsOf(own).length >= 12 ? true : undefined;
  });
}

const listsOf = (calls: readonly AuditedCall[]) => calls.filter(({ verb }) => verb === "list");

async function callsOf({ credential }: Identity): Promise<readonly AuditedCall[]> {
  return (await auditedCalls(harness.plane.auditLog)).filter((call) => call.credential === credential);
}

async function fetchLease(): Promise<KubeObject> {
  return (await harness.admin.get(leases, lease)) ?? assert.fail("there is no lease");
}

async function holder(): Promise<unknown> {
  return ((await fetchLease())["spec"] as { readonly holderIdentity?: string }).holderIdentity;
}

const serviceOf = (name: string) => ({ service: { name } });

test("the leader is killed: only then the other one writes, and without listing anything again", limit, async () => {
  const [first, second] = await startCandidates("kill-1", "kill-2");
  assert.ok(first && second);
  await using _first = first;
  await using _second = second;
  const led = await holder();
  await harness.createRelay("led", "before", serviceOf("before"));
  await untilCondition(harness.admin, at("before"), "Ready", "True");
  assert.deepEqual((await callsOf(second.identity)).filter(isWrite), []);
  const listed = listsOf(await callsOf(second.identity)).length;
  const killedUs = Date.now() * 1000;
  first.child.process.kill("SIGKILL");
  await first.child.exited;
  await harness.createRelay("led", "meanwhile", serviceOf("meanwhile"));
  await untilCondition(harness.admin, at("meanwhile"), "Ready", "True");
  assert.notEqual(await holder(), led);
  const calls = await callsOf(second.identity);
  const taken = calls.find((call) => isOfLease(call) && isWrite(call) && call.code < 300) ?? assert.fail("not taken");
  const writes = calls.filter(isWriteOfObject);
  assert.ok(writes.length > 0 && writes.every(({ receivedUs }) => receivedUs > taken.receivedUs));
  assert.equal(listsOf(calls).length, listed, "the standby's caches were good");
  const old = (await callsOf(first.identity)).filter(({ receivedUs }) => receivedUs > taken.receivedUs);
  assert.deepEqual(old.filter(isWrite), []);
  const firstWriteUs = writes[0]?.receivedUs ?? 0;
  // What it found undone is done, and what was in order is left alone.
  assert.ok(
    writes.every(({ uri }) => uri.includes("meanwhile")),
    "it wrote what was in order",
  );
  console.log(
    `# taken ${ms(taken.receivedUs - killedUs)} after the kill, first write ${ms(firstWriteUs - taken.receivedUs)} later`,
  );

  const [third] = await startStandby("kill-3");
  assert.ok(third);
  await using _third = third;
  const termUs = Date.now() * 1000;
  second.child.process.kill("SIGTERM");
  assert.equal(await second.child.exited, 0);
  await harness.createRelay("led", "after", serviceOf("after"));
  await untilCondition(harness.admin, at("after"), "Ready", "True");
  const later = await callsOf(third.identity);
  const given = (await callsOf(second.identity)).findLast((call) => isOfLease(call) && isWrite(call));
  const takenAgain = later.find((call) => isOfLease(call) && isWrite(call) && call.code < 300);
  assert.ok(given && takenAgain && given.receivedUs < takenAgain.receivedUs, "it was given back before it was taken");
  console.log(`# taken ${ms(takenAgain.receivedUs - termUs)} after SIGTERM`);
  third.child.process.kill("SIGTERM");
  assert.equal(await third.child.exited, 0);
});

async function startStandby(name: string): Promise<readonly [Candidate]> {
  const identity = await newIdentity(harness.plane, name);
  const child = startChild(identity.kubeconfig, shortTimesFlags);
  await untilStandingBy(identity);
  return [{ child, identity, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }];
}

function ms(us: number): string {
  return `${Math.round(us / 1000)} ms`;
}

test(
  "the leader stands still until another one leads: it writes nothing when it goes on, and ends with an error",
  limit,
  async () => {
    const [first, second] = await startCandidates("still-1", "still-2");
    assert.ok(first && second);
    await using _first = first;
    await using _second = second;
    await harness.createRelay("led", "still", serviceOf("still"));
    await untilCondition(harness.admin, at("still"), "Ready", "True");
    first.child.process.kill("SIGSTOP");
    const stoppedUs = Date.now() * 1000;
    // Work that it hears of when it goes on, before it can know that it has lost.
    await harness.admin.mergePatch(relayResource, at("still"), { spec: { stdout: { logs: true } } });
    await harness.createRelay("led", "during", serviceOf("during"));
    await untilCondition(harness.admin, at("during"), "Ready", "True");
    await harness.admin.mergePatch(relayResource, at("still"), { spec: { podLabels: { woken: "yes" } } });
    await harness.createRelay("led", "later", serviceOf("later"));
    first.child.process.kill("SIGCONT");
    assert.equal(await first.child.exited, 1);
    assert.match(first.child.log(), /Lost the lease/);
    await untilCondition(harness.admin, at("later"), "Ready", "True");
    const own = (await callsOf(first.identity)).filter(({ receivedUs }) => receivedUs > stoppedUs);
    assert.deepEqual(own.filter(isWriteOfObject), []);
    console.log(`# it asked ${own.length} times since it stood still, and wrote nothing`);
    second.child.process.kill("SIGTERM");
    assert.equal(await second.child.exited, 0);
  },
);

test(
  "the lease is deleted, edited, and written by a clock that is an hour off: one leads, and the same one",
  limit,
  async () => {
    const [first, second] = await startCandidates("edit-1", "edit-2");
    assert.ok(first && second);
    await using _first = first;
    await using _second = second;
    const led = await holder();
    await harness.admin.delete(leases, lease);
    await eventually("it is made anew", async () => await harness.admin.get(leases, lease));
    assert.equal(await holder(), led);
    for (const offMs of [-3_600_000, 3_600_000]) {
      const time = microTime(Date.now() + offMs);
      const { resourceVersion } = (
        await harness.admin.mergePatch(leases, lease, { spec: { renewTime: time, acquireTime: time } })
      ).metadata;
      await eventually("it is renewed twice", async () => {
        const { metadata, spec } = (await fetchLease()) as KubeObject & { spec: { renewTime: string } };
        return metadata.resourceVersion !== resourceVersion && spec.renewTime !== time ? true : undefined;
      });
      assert.equal(await holder(), led);
    }
    await harness.admin.mergePatch(leases, lease, { metadata: { labels: { a: "b" } } });
    await harness.createRelay("led", "edited", serviceOf("edited"));
    await untilCondition(harness.admin, at("edited"), "Ready", "True");
    assert.equal(await holder(), led);
    assert.deepEqual((await callsOf(second.identity)).filter(isWrite), []);
    assert.deepEqual(
      (await callsOf(first.identity)).filter((call) => call.code === 403),
      [],
    );
  },
);
