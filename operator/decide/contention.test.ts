import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Fight, type Repair, afterRepair, endMs, isFight, isOver, nextRepairMs } from "./contention.ts";

const repair = { kind: "written", by: "other", paths: [".spec.replicas"] } as const;

/** Somebody writes all the time, and every repair is made as soon as it may be. */
function fightOf(rounds: number, what: Repair = repair, kind = "Deployment"): Fight {
  let fight = afterRepair(undefined, kind, what, 0);
  while (fight.rounds < rounds) fight = afterRepair(fight, kind, what, nextRepairMs(fight));
  return fight;
}

test("afterRepair(): the first repairs are made at once, each further one waits twice as long, up to five minutes", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 30].map((rounds) => {
    const fight = fightOf(rounds);
    return nextRepairMs(fight) - fight.repairedMs;
  });
  assert.deepEqual(waits, [0, 0, 0, 1_000, 2_000, 4_000, 8_000, 300_000]);
  assert.deepEqual(
    [3, 4].map((rounds) => isFight(fightOf(rounds))),
    [false, true],
  );
});

test("afterRepair(): a Deployment that is deleted all the time is missing for half a minute at most", () => {
  const fight = fightOf(30, { kind: "deleted" });
  assert.equal(nextRepairMs(fight) - fight.repairedMs, 30_000);
});

for (const kind of ["ConfigMap", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Service"]) {
  test(`afterRepair(): a ${kind}, without which a relay is silent, waits for five seconds at most`, () => {
    for (const what of [repair, { kind: "deleted" }] as const) {
      const fight = fightOf(30, what, kind);
      assert.equal(nextRepairMs(fight) - fight.repairedMs, 5_000);
    }
  });
}

test("afterRepair(): a repair long after the last one is the first again", () => {
  const fight = fightOf(3);
  assert.equal(afterRepair(fight, "Deployment", repair, endMs(fight) - 1).rounds, 4);
  assert.equal(afterRepair(fight, "Deployment", repair, endMs(fight)).rounds, 1);
});

test("isOver(): never before the next repair may be made, so no fight is forgotten while it is held back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (rounds) => {
      const fight = fightOf(rounds);
      assert.equal(isOver(fight, nextRepairMs(fight)), false);
    }),
  );
});
