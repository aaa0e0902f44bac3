import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import type { Repair } from "../decide/contention.ts";
import type { PlannedWrite } from "../decide/plan.ts";
import { deployment } from "../desired/deployment.ts";
import { discoveryRights } from "../desired/roles.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { Contention } from "./contention.ts";

const desired = service(relayOf());
const key = "kubearmor/kubearmor-relay";
const write: PlannedWrite = { desired, live: desired.object, paths: [".spec.type"] };
const repair = { kind: "written", by: "other", paths: [".spec.type"] } as const;
const deletion = { kind: "deleted" } as const;

/** After so many repairs at one moment. */
function contentionAfter(
  rounds: number,
  what: Repair = repair,
): { readonly contention: Contention; readonly clock: FakeClock } {
  const clock = new FakeClock();
  const contention = new Contention(clock);
  for (let round = 0; round < rounds; round += 1) contention.wrote(key, write, what, true, 1);
  return { contention, clock };
}

test("Contention: a few repairs are no fight and hold nothing back", () => {
  const { contention } = contentionAfter(3);
  assert.deepEqual(contention.due(key, [write], 1), [write]);
  assert.deepEqual(contention.of(key), { fights: [], againInMs: undefined });
});

test("Contention: a fight is told, and its object is written again only after a while", () => {
  const { contention, clock } = contentionAfter(5);
  assert.deepEqual(contention.due(key, [write], 1), []);
  assert.deepEqual(contention.of(key), { fights: ["Service kubearmor: .spec.type by other"], againInMs: 2_000 });
  clock.advance(2_000);
  assert.deepEqual(contention.due(key, [write], 1), [write]);
  assert.equal(contention.of(key).againInMs, 58_000, "when it is looked at whether it is over");
  clock.advance(58_000);
  assert.deepEqual(contention.of(key), { fights: [], againInMs: undefined });
});

test("Contention: what a new spec wants, what is gone, and other relays are not held back", () => {
  const { contention } = contentionAfter(9);
  const gone = { ...write, live: undefined };
  assert.deepEqual(contention.due(key, [write], 2), [write]);
  assert.deepEqual(contention.due(key, [gone], 1), [gone]);
  assert.deepEqual(contention.due("a/c", [write], 1), [write]);
  contention.forget(key);
  assert.deepEqual(contention.due(key, [write], 1), [write]);
});

test("Contention: what is deleted all the time is told, and made anew only after a while", () => {
  const { contention, clock } = contentionAfter(5, deletion);
  const gone = { ...write, live: undefined };
  assert.deepEqual(contention.due(key, [gone], 1), []);
  assert.deepEqual(contention.due(key, [gone], 2), [gone]);
  const fights = ["Service kubearmor, which is deleted again and again"];
  assert.deepEqual(contention.of(key), { fights, againInMs: 2_000 });
  clock.advance(2_000);
  assert.deepEqual(contention.due(key, [gone], 1), [gone]);
});

test("Contention: a write that follows another one of the same spec is a repair, however the rest of the relay is", () => {
  const contention = new Contention(new FakeClock());
  for (let round = 0; round < 4; round += 1) contention.wrote(key, write, repair, false, 1);
  assert.deepEqual(contention.due(key, [write], 1), [write]);
  contention.wrote(key, write, repair, false, 1);
  assert.deepEqual(contention.due(key, [write], 1), []);
  contention.wrote(key, write, repair, false, 2);
  assert.deepEqual(contention.due(key, [write], 2), [write], "of a new spec the first write is none");
});

test("Contention: objects of one name in several namespaces are fought over one by one, and named with the namespace", () => {
  const contention = new Contention(new FakeClock());
  const namespaces = ["a", "b", "c", "d", "e", "kubearmor"];
  const rights = discoveryRights(relayOf({ agents: { namespaces }, enrichment: { remoteHost: false } }));
  const writes = rights.map((role) => ({ desired: role, live: undefined, paths: [] }));
  for (const each of writes) contention.wrote(key, each, deletion, false, 1);
  assert.deepEqual(contention.of(key), { fights: [], againInMs: undefined });
  const [first] = writes;
  assert.ok(first);
  for (let round = 0; round < 4; round += 1) contention.wrote(key, first, deletion, false, 1);
  assert.deepEqual(contention.due(key, writes, 1), writes.slice(1));
  const fights = ["Role kubearmor-relay:kubearmor:kubearmor-relay in a, which is deleted again and again"];
  assert.deepEqual(contention.of(key).fights, fights);
  const last = writes.at(-1);
  assert.ok(last);
  for (let round = 0; round < 4; round += 1) contention.wrote(key, last, deletion, false, 1);
  assert.match(contention.of(key).fights[1] ?? "", /^RoleBinding kubearmor-relay:kubearmor:kubearmor-relay, which/);
});

test("Contention: after many edits a Service waits for seconds, a Deployment for minutes", () => {
  const { contention } = contentionAfter(30);
  assert.equal(contention.of(key).againInMs, 5_000);
  const other: PlannedWrite = { ...write, desired: deployment(relayOf(), { defaultImage: "relay" }) };
  for (let round = 0; round < 30; round += 1) contention.wrote("a/b", other, repair, true, 1);
  assert.equal(contention.of("a/b").againInMs, 300_000);
});

test("Contention: what was missing from the start is nobody's doing, what is missing later is", () => {
  const contention = new Contention(new FakeClock());
  const gone = { ...write, live: undefined };
  assert.deepEqual(contention.suspicious(key, [gone, write]), [write]);
  contention.converged(key);
  assert.deepEqual(contention.suspicious(key, [gone, write]), [gone, write]);
  assert.deepEqual(contention.suspicious("a/b", [gone]), []);
  contention.forget(key);
  assert.deepEqual(contention.suspicious(key, [gone]), []);
});

test("Contention: what was written and is missing again is gone, even if the relay was never complete", () => {
  const contention = new Contention(new FakeClock());
  const gone = { ...write, live: undefined };
  for (let round = 0; round < 5; round += 1) {
    const isSuspicious = contention.suspicious(key, [gone]).length > 0;
    assert.equal(isSuspicious, round > 0);
    contention.wrote(key, gone, isSuspicious ? deletion : undefined, false, 1);
  }
  assert.deepEqual(contention.due(key, [gone], 1), []);
});
