import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KubeObject } from "../../lib/kube/types.ts";
import { type Report, type Reporting, type Reports, readReports, silentAfterMs } from "./reports.ts";

const nowMs = Date.UTC(2026, 0, 1, 12);
const settings = { hash: "new", sinceMs: nowMs - 3_600_000 };

interface PodState {
  /** Undefined: it is not ready. */
  readonly readyForMs?: number;
  readonly phase?: string;
  readonly isLeaving?: boolean;
}

function pod(name: string, { readyForMs, phase = "Running", isLeaving = false }: PodState = {}): KubeObject {
  const ready =
    readyForMs === undefined
      ? { type: "Ready", status: "False" }
      : { type: "Ready", status: "True", lastTransitionTime: new Date(nowMs - readyForMs).toISOString() };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "a", name, ...(isLeaving ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
    status: { phase, conditions: [ready] },
  };
}

const ready = (name: string, readyForMs = 1_000) => pod(name, { readyForMs });

function entry(name: string, changes: Partial<Report> = {}): Report {
  const agents = { seen: 3, connected: 3 };
  return { pod: name, version: "1.0.0", settings: "new", stdout: "alerts", agents, ...changes };
}

const withoutSettings: Report = { pod: "a", stdout: "none" };

type Case = readonly [Partial<Reporting>, Partial<Reports>];

const cases: Readonly<Record<string, Case>> = {
  "all pods confirm": [
    { pods: [ready("a"), ready("b")], entries: [entry("a"), entry("b")] },
    { livePods: 2, stdout: "alerts", waiting: [], silent: [], problems: [], gone: [], nextSilentMs: undefined },
  ],
  "there are no pods": [
    { pods: [], entries: [] },
    { livePods: 0, stdout: undefined, version: undefined, agents: undefined, loss: undefined, waiting: [] },
  ],
  "a pod that serves has not reported": [
    { pods: [ready("a"), ready("b", 20_000)], entries: [entry("a")] },
    { stdout: undefined, waiting: ["Pod b has not reported yet"], silent: [], nextSilentMs: 40_000 },
  ],
  "a pod that serves has not reported for a minute": [
    { pods: [ready("b", silentAfterMs)], entries: [] },
    { waiting: ["Pod b has not reported yet"], silent: ["Pod b has not reported yet"], nextSilentMs: undefined },
  ],
  "a pod reports other settings, which were the wanted ones until just now": [
    {
      pods: [ready("a", 9_999_999)],
      entries: [entry("a", { settings: "old" })],
      settings: { hash: "new", sinceMs: nowMs - 1_000 },
    },
    { stdout: undefined, waiting: ["Pod a has yet to take up the settings"], silent: [], nextSilentMs: 59_000 },
  ],
  "a pod reports other settings for a minute": [
    { pods: [ready("a", 9_999_999)], entries: [entry("a", { settings: "old" })] },
    { silent: ["Pod a has yet to take up the settings"] },
  ],
  "a pod has no settings of the ConfigMap in force": [
    { pods: [ready("a")], entries: [withoutSettings] },
    { stdout: undefined, waiting: ["Pod a has yet to take up the settings"] },
  ],
  "there is no ConfigMap to confirm": [
    { pods: [ready("a")], entries: [withoutSettings], settings: undefined },
    { stdout: undefined, waiting: ["Pod a has yet to take up the settings"] },
  ],
  "a pod that does not run yet prints nothing": [
    { pods: [ready("a"), pod("b")], entries: [entry("a")] },
    { stdout: "alerts", waiting: ["Pod b has not reported yet"], silent: [], nextSilentMs: undefined },
  ],
  "pods that confirm the same settings print differently": [
    { pods: [ready("a"), ready("b")], entries: [entry("a"), entry("b", { stdout: "none" })] },
    {
      stdout: undefined,
      waiting: ["Pods with the same settings have yet to agree: pod a prints alerts, pod b prints none"],
      silent: [],
    },
  ],
  "the pod's clock is ahead": [
    { pods: [ready("a", -5_000)], entries: [] },
    { silent: [], nextSilentMs: silentAfterMs },
  ],
  "pods see different agents: most seen, least connected": [
    {
      pods: [ready("a"), ready("b")],
      entries: [entry("a", { agents: { seen: 5, connected: 1 } }), entry("b", { agents: { seen: 4, connected: 4 } })],
    },
    { agents: { seen: 5, connected: 1 } },
  ],
  "a pod that confirms does not say what it prints": [
    { pods: [ready("a")], entries: [{ pod: "a", settings: "new" }] },
    {
      stdout: undefined,
      waiting: ["Pods with the same settings have yet to agree: pod a prints nothing that it tells of"],
    },
  ],
  "a pod that is not ready any more has other settings": [
    { pods: [ready("a"), pod("b")], entries: [entry("a"), entry("b", { settings: "old" })] },
    { stdout: undefined, waiting: ["Pod b has yet to take up the settings"] },
  ],
  "of two pods that have not reported the one that is silent first counts": [
    { pods: [ready("a", 10_000), ready("b", 20_000), ready("c", 15_000)], entries: [] },
    { nextSilentMs: 40_000 },
  ],
  "losses beyond what a number holds are as many as it holds": [
    {
      pods: [ready("a"), ready("b")],
      entries: [
        entry("a", { loss: { dropped: Number.MAX_SAFE_INTEGER, gaps: 1 } }),
        entry("b", { loss: { dropped: Number.MAX_SAFE_INTEGER } }),
      ],
    },
    { loss: { dropped: Number.MAX_SAFE_INTEGER, gaps: 1 } },
  ],
  "losses are summed up": [
    {
      pods: [ready("a"), ready("b"), ready("c")],
      entries: [entry("a", { loss: { dropped: 5, gaps: 1 } }), entry("b", { loss: { gaps: 2 } }), entry("c")],
    },
    { loss: { dropped: 5, gaps: 3 } },
  ],
  "versions differ during an upgrade": [
    { pods: [ready("a"), ready("b")], entries: [entry("a", { version: "1.1.0" }), entry("b")] },
    { version: "1.0.0, 1.1.0" },
  ],
  "a pod says what is wrong with it": [
    { pods: [ready("a")], entries: [entry("a", { problem: "pods is forbidden" })] },
    { problems: ["Pod a: pods is forbidden"] },
  ],
  "a pod is being deleted: it counts no more, but may report until it has ended": [
    { pods: [pod("a", { isLeaving: true })], entries: [entry("a", { problem: "leaving" })] },
    { livePods: 0, problems: [], version: undefined, gone: [] },
  ],
  "a pod was evicted and left lying": [
    { pods: [pod("a", { phase: "Failed" }), ready("b")], entries: [entry("a", { problem: "x" }), entry("b")] },
    { livePods: 1, problems: [], gone: ["a"] },
  ],
  "pods are gone": [
    { pods: [ready("b")], entries: [entry("a"), entry("b"), entry("c")] },
    {
      stdout: "alerts",
      gone: ["a", "c"],
    },
  ],
};

for (const [sentence, [given, expected]] of Object.entries(cases)) {
  test(`readReports(): ${sentence}`, () => {
    const found = readReports({ pods: [], entries: [], settings, nowMs, ...given });
    const seen = Object.fromEntries(Object.keys(expected).map((name) => [name, found[name as keyof Reports]]));
    assert.deepEqual(seen, expected);
  });
}

const name = fc.constantFrom("a", "b", "c", "d", "e", "f");
const number = fc.nat({ max: 9 });
const podState = fc.record(
  {
    readyForMs: fc.integer({ min: -1_000, max: 100_000 }),
    phase: fc.constantFrom("Running", "Failed"),
    isLeaving: fc.boolean(),
  },
  { requiredKeys: [] },
);
const anEntry = fc.record(
  {
    pod: name,
    version: fc.constantFrom("1", "2"),
    settings: fc.constantFrom("new", "old"),
    stdout: fc.constantFrom("none", "alerts"),
    agents: fc.record({ seen: number, connected: number }),
    loss: fc.record({ dropped: number, gaps: number }),
    problem: fc.constantFrom("x", "y"),
  },
  { requiredKeys: ["pod"] },
);
const world = fc.record({
  pods: fc
    .uniqueArray(fc.tuple(name, podState), { selector: ([each]) => each })
    .map((all) => all.map(([each, state]) => pod(each, state))),
  entries: fc.uniqueArray(anEntry, { selector: (each) => each.pod }),
});

/** The order of entries aside. */
function essence({ gone, ...rest }: Reports): unknown {
  return { ...rest, gone: new Set(gone) };
}

test("readReports(): the order of pods and of entries does not matter", () => {
  fc.assert(
    fc.property(world, fc.infiniteStream(fc.nat()), ({ pods, entries }, chance) => {
      const shuffled = <T>(items: readonly T[]): readonly T[] =>
        items
          .map((item) => ({ item, at: Number(chance.next().value) }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ item }) => item);
      const one = readReports({ pods, entries, settings, nowMs });
      const other = readReports({ pods: shuffled(pods), entries: shuffled(entries), settings, nowMs });
      assert.deepEqual(essence(other), essence(one));
    }),
  );
});

test("readReports(): an entry of a pod that is over or leaving never counts", () => {
  fc.assert(
    fc.property(world, fc.array(fc.tuple(anEntry, fc.boolean())), ({ pods, entries }, others) => {
      const over = others.map(([, isLeaving], index) =>
        pod(`over-${index}`, { readyForMs: 0, ...(isLeaving ? { isLeaving } : { phase: "Failed" }) }),
      );
      const theirs = others.map(([each], index) => ({ ...each, pod: `over-${index}` }));
      const { gone: _without, ...expected } = readReports({ pods, entries, settings, nowMs });
      const all = { pods: [...over, ...pods], entries: [...theirs, ...entries], settings, nowMs };
      const { gone: _with, ...counted } = readReports(all);
      assert.deepEqual(counted, expected);
    }),
  );
});

test("readReports(): an entry of a dead pod never counts, and that of a live one is never removed", () => {
  fc.assert(
    fc.property(world, fc.array(anEntry), ({ pods, entries }, others) => {
      const dead = others.map((each, index) => ({ ...each, pod: `dead-${index}` }));
      const without = readReports({ pods, entries, settings, nowMs });
      const { gone, ...counted } = readReports({ pods, entries: [...entries, ...dead], settings, nowMs });
      const { gone: goneWithout, ...expected } = without;
      assert.deepEqual(counted, expected);
      assert.equal(gone.length, goneWithout.length + dead.length);
      const live = pods.filter(({ status }) => (status as { readonly phase: string }).phase === "Running");
      for (const { metadata } of live) assert.ok(!gone.includes(metadata.name));
    }),
  );
});
