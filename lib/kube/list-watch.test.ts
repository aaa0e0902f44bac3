import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../process/fake-clock.ts";
import { silentLog } from "../process/log.ts";
import { startListWatch } from "./list-watch.ts";
import type { ListWatch } from "./list-watch.ts";
import { configMaps } from "./resources.ts";
import { Store } from "./store.ts";
import { MemoryApi, refusal } from "./testing/memory-api.ts";
import type { StreamFault } from "./testing/memory-api.ts";
import { settle } from "./testing/recording-clock.ts";
import type { KubeObject, ListWatchOptions, WatchState } from "./types.ts";

interface Followed extends AsyncDisposable {
  readonly api: MemoryApi;
  readonly clock: FakeClock;
  readonly listWatch: ListWatch;
  readonly changes: readonly string[];
  readonly restarts: readonly string[];
  readonly states: readonly WatchState[];
  /** What a consumer believes to be there: versions by name. */
  seen(): ReadonlyMap<string, string>;
}

/** A list-watch over an API in memory; backoffs take their upper bound. */
function follow(prepare: (api: MemoryApi) => void = () => {}, options: Partial<ListWatchOptions> = {}): Followed {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  prepare(api);
  const changes: string[] = [];
  const restarts: string[] = [];
  const states: WatchState[] = [];
  const store = new Store({});
  const listWatch = startListWatch(
    {
      resource: configMaps,
      scope: {},
      onChange(change) {
        store.apply(change);
        changes.push(
          change.kind === "replaced" ? `replaced ${change.objects.length}` : `${change.kind} ${nameOf(change.object)}`,
        );
      },
      onState: (state) => states.push(state),
      onRestart: (reason) => restarts.push(reason),
      ...options,
    },
    { client: api, clock, random: () => 0.999, log: silentLog },
  );
  return {
    api,
    clock,
    listWatch,
    changes,
    restarts,
    states,
    seen: () => new Map(store.list().map((object) => [nameOf(object), object.metadata.resourceVersion ?? ""])),
    [Symbol.asyncDispose]: () => listWatch[Symbol.asyncDispose](),
  };
}

function nameOf(object: KubeObject): string {
  return object.metadata.name;
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

test("startListWatch() lists from the server's cache, then watches from there with bookmarks", async () => {
  await using followed = follow((api) => {
    for (const name of ["a", "b", "c", "d"]) api.put(name);
  });
  await followed.listWatch.synced;
  await settle();
  followed.api.put("a");
  followed.api.remove("b");
  await settle();
  assert.deepEqual(followed.changes, ["replaced 4", "modified a", "deleted b"]);
  assert.deepEqual(followed.api.lists, [
    { resourceVersion: "0", resourceVersionMatch: "NotOlderThan", limit: 500 },
    { limit: 500, continue: "14/3" },
  ]);
  assert.equal(followed.api.watches[0]?.resourceVersion, "14");
  assert.deepEqual(followed.seen(), followed.api.truth());
});

test("startListWatch() asks for watches of 60 to 120 s and goes on from the last version, without a list", async () => {
  await using followed = follow();
  await settle();
  followed.api.put("a");
  await settle();
  await pass(followed.clock, 119_000);
  assert.deepEqual(followed.api.watches, [
    { resourceVersion: "10", timeoutSeconds: 119 },
    { resourceVersion: "11", timeoutSeconds: 119 },
  ]);
  assert.equal(followed.api.lists.length, 1);
  assert.deepEqual(followed.restarts, ["timeout"]);
  assert.deepEqual(
    followed.states.map((state) => state.kind),
    ["synced"],
  );
});

test("startListWatch() goes on from a bookmark", async () => {
  await using followed = follow();
  await settle();
  followed.api.writeElsewhere();
  followed.api.writeElsewhere();
  followed.api.bookmark();
  await settle();
  followed.api.disturb("close");
  await settle();
  await pass(followed.clock, 800);
  assert.equal(followed.api.watches[1]?.resourceVersion, "12");
});

const broken: Readonly<Record<string, readonly [StreamFault, restart: string, state: WatchState["kind"]]>> = {
  "a close": ["close", "closed", "synced"],
  "a cut within a line": ["cut", "closed", "synced"],
  "a reset": ["reset", "unreachable", "failing"],
  "a line that is no event": ["garbage", "malformed", "failing"],
  "an error in the stream": ["internal-error", "server-error", "failing"],
};

for (const [sentence, [fault, restart, state]] of Object.entries(broken)) {
  test(`startListWatch() after ${sentence} waits, then watches on from the last version and misses nothing`, async () => {
    await using followed = follow();
    await settle();
    followed.api.put("a");
    await settle();
    followed.api.disturb(fault);
    await settle();
    assert.equal(followed.listWatch.state.kind, state);
    assert.equal(followed.api.openStreams, 0);
    followed.api.put("b");
    followed.api.remove("a");
    await pass(followed.clock, 800);
    assert.deepEqual(followed.restarts, [restart]);
    assert.equal(followed.api.lists.length, 1);
    assert.deepEqual(followed.changes, ["replaced 0", "added a", "added b", "deleted a"]);
    assert.equal(followed.listWatch.state.kind, "synced");
  });
}

test("startListWatch() gives up a silent watch ten seconds after its promised end", async () => {
  await using followed = follow();
  await settle();
  followed.api.disturb("hang");
  followed.api.put("a");
  await pass(followed.clock, 128_999);
  assert.deepEqual(followed.restarts, []);
  await pass(followed.clock, 1);
  assert.deepEqual(followed.restarts, ["unreachable"]);
  await pass(followed.clock, 800);
  assert.deepEqual(followed.seen(), followed.api.truth());
});

for (const inStream of [false, true]) {
  test(`startListWatch() lists again when its version is forgotten, told ${inStream ? "in the stream" : "by the status"}`, async () => {
    await using followed = follow((api) => {
      api.expiresInStream = inStream;
      api.put("a");
      api.put("b");
    });
    await settle();
    followed.api.disturb("close");
    await settle();
    followed.api.remove("a");
    followed.api.put("c");
    followed.api.compact();
    await pass(followed.clock, 800);
    await pass(followed.clock, 1600);
    assert.deepEqual(followed.restarts, ["closed", "expired"]);
    // The newest version is asked for, and what was deleted meanwhile is not in it.
    assert.deepEqual(followed.api.lists.at(-1), { limit: 500 });
    assert.deepEqual(followed.changes, ["replaced 2", "replaced 2"]);
    assert.deepEqual(followed.seen(), followed.api.truth());
    assert.ok(followed.states.every((state) => state.kind === "synced"));
  });
}

test("startListWatch() asks for the newest version when the server has not reached the one it knows", async () => {
  await using followed = follow((api) =>
    api.failures.push(refusal(504, "Timeout", { causes: [{ reason: "ResourceVersionTooLarge" }] })),
  );
  await settle();
  await pass(followed.clock, 800);
  assert.deepEqual(followed.api.lists, [
    { resourceVersion: "0", resourceVersionMatch: "NotOlderThan", limit: 500 },
    { limit: 500 },
  ]);
});

test("startListWatch() doubts its version after three bad answers in a row and lists again", async () => {
  await using followed = follow();
  await settle();
  for (const waitMs of [800, 1600, 3200]) {
    followed.api.disturb("garbage");
    await settle();
    await pass(followed.clock, waitMs);
  }
  assert.equal(followed.api.watches.length, 4);
  assert.deepEqual(followed.api.lists.at(-1), {
    resourceVersion: "10",
    resourceVersionMatch: "NotOlderThan",
    limit: 500,
  });
});

const refusals: Readonly<Record<string, readonly [Error, WatchState]>> = {
  "RBAC refuses": [
    refusal(403, "Forbidden"),
    { kind: "failing", reason: "forbidden", error: refusal(403, "Forbidden") },
  ],
  "the token is refused": [
    refusal(401, "Unauthorized"),
    { kind: "failing", reason: "unauthorized", error: refusal(401, "Unauthorized") },
  ],
  "the server fails": [
    refusal(500, "InternalError"),
    { kind: "failing", reason: "server-error", error: refusal(500, "InternalError") },
  ],
  "nobody listens": [new Error("refused"), { kind: "failing", reason: "unreachable", error: new Error("refused") }],
};

for (const [sentence, [error, state]] of Object.entries(refusals)) {
  test(`startListWatch() says so while ${sentence}, tries on, and heals`, async () => {
    await using followed = follow((api) => {
      api.put("a");
      for (let count = 0; count < 8; count += 1) api.failures.push(error);
    });
    await settle();
    assert.deepEqual(followed.listWatch.state, state);
    // Upper bounds: doubled from 0.8 s to 30 s.
    for (const waitMs of [800, 1600, 3200, 6400, 12_800, 25_600, 30_000]) {
      const { length } = followed.api.lists;
      await pass(followed.clock, waitMs * 0.9);
      assert.equal(followed.api.lists.length, length, `too early after ${waitMs}`);
      await pass(followed.clock, waitMs * 0.1);
      assert.equal(followed.api.lists.length, length + 1, `too late after ${waitMs}`);
    }
    assert.deepEqual(followed.changes, []);
    await pass(followed.clock, 30_000);
    assert.deepEqual(followed.changes, ["replaced 1"]);
    // Told once, not at every attempt.
    assert.deepEqual(
      followed.states.map(({ kind }) => kind),
      ["failing", "synced"],
    );
  });
}

test("startListWatch() waits as after a first failure when a watch was healthy before", async () => {
  await using followed = follow((api) => api.failures.push(new Error("1"), new Error("2"), new Error("3")));
  await settle();
  await pass(followed.clock, 800);
  await pass(followed.clock, 1600);
  await pass(followed.clock, 3200);
  assert.equal(followed.api.openStreams, 1);
  await pass(followed.clock, 30_000);
  followed.api.disturb("reset");
  await settle();
  await pass(followed.clock, 800);
  assert.equal(followed.api.openStreams, 1);
});

test("startListWatch() does not spin on a server that closes every watch at once", async () => {
  await using followed = follow();
  await settle();
  for (let second = 0; second < 120; second += 1) {
    followed.api.disturb("close");
    await settle();
    await pass(followed.clock, 1000);
  }
  assert.ok(followed.api.watches.length < 12, String(followed.api.watches.length));
});

test("startListWatch() trims objects of lists and of watches before it hands them over", async () => {
  const objects: KubeObject[] = [];
  await using followed = follow((api) => api.put("a"), {
    trim: ({ apiVersion, kind, metadata: { name } }) => ({ apiVersion, kind, metadata: { name } }),
    onChange: (change) => objects.push(...(change.kind === "replaced" ? change.objects : [change.object])),
  });
  await settle();
  followed.api.put("b");
  await settle();
  assert.deepEqual(
    objects,
    ["a", "b"].map((name) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } })),
  );
  followed.api.disturb("close");
  await settle();
  await pass(followed.clock, 800);
  assert.equal(followed.api.watches.at(-1)?.resourceVersion, "12");
});

test("startListWatch() outlives a handler that throws", async () => {
  const kinds: string[] = [];
  await using followed = follow(() => {}, {
    onChange(change) {
      kinds.push(change.kind);
      throw new Error("handler");
    },
  });
  await settle();
  followed.api.put("a");
  await settle();
  assert.deepEqual(kinds, ["replaced", "added"]);
});

test("ListWatch: after its end nothing is called back, no stream and no timer is open", async () => {
  const followed = follow();
  await settle();
  followed.api.put("a");
  const ended = followed.listWatch[Symbol.asyncDispose]();
  followed.api.put("b");
  await ended;
  const { length } = followed.changes;
  await pass(followed.clock, 1_000_000);
  assert.equal(followed.changes.length, length);
  assert.equal(followed.api.openStreams, 0);
  assert.equal(followed.clock.pendingTimers, 0);
  assert.equal(followed.restarts.length, 0);
});

test("ListWatch: a stop from within a handler is the last call", async () => {
  let calls = 0;
  let ended: Promise<void> | undefined;
  await using followed = follow((api) => api.put("a"), {
    onChange() {
      calls += 1;
      if (calls === 2) ended = followed.listWatch[Symbol.asyncDispose]() as Promise<void>;
    },
  });
  await settle();
  followed.api.put("b");
  followed.api.put("c");
  await settle();
  await ended;
  assert.equal(calls, 2);
});

test("ListWatch.synced rejects when it ends before the first list", async () => {
  const followed = follow((api) => api.failures.push(new Error("refused")));
  await settle();
  await followed.listWatch[Symbol.asyncDispose]();
  await assert.rejects(followed.listWatch.synced, /stopped/);
});

type Step =
  | { readonly kind: "put" | "remove"; readonly name: string }
  | { readonly kind: "disturb"; readonly fault: StreamFault }
  | { readonly kind: "fail"; readonly code: number }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "compact" | "bookmark" | "reset-next" | "elsewhere" };

const name = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("put" as const, "remove" as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("disturb" as const),
      fault: fc.constantFrom<StreamFault>("close", "cut", "reset", "hang", "garbage", "expired", "internal-error"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("fail" as const), code: fc.constantFrom(401, 403, 410, 429, 500, 504) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("compact" as const, "bookmark" as const, "reset-next" as const, "elsewhere" as const),
    }),
  },
);

function take(api: MemoryApi, clock: FakeClock, next: Step): void {
  switch (next.kind) {
    case "put":
      return api.put(next.name);
    case "remove":
      return api.remove(next.name);
    case "disturb":
      return api.disturb(next.fault);
    case "fail":
      api.failures.push(refusal(next.code, "Any"));
      return;
    case "reset-next":
      api.failures.push(new Error("reset"));
      return;
    case "advance":
      return clock.advance(next.ms);
    case "compact":
      return api.compact();
    case "bookmark":
      return api.bookmark();
    case "elsewhere":
      return api.writeElsewhere();
  }
}

test("ListWatch and Store end equal to the server after any history of changes and faults", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      fc.boolean(),
      fc.nat(4),
      async (steps, pauses, expiresInStream, lag) => {
        const followed = follow((api) => {
          api.expiresInStream = expiresInStream;
          api.lag = lag;
          for (const first of ["a", "b", "c", "d", "e"]) api.put(first);
        });
        try {
          for (const [index, next] of steps.entries()) {
            take(followed.api, followed.clock, next);
            if (pauses[index] === true) await settle();
          }
          // Time enough for what was left hanging, and for every wait at its longest.
          for (let round = 0; round < 45; round += 1) await pass(followed.clock, 30_000);
          assert.deepEqual(followed.seen(), followed.api.truth());
          assert.equal(followed.listWatch.state.kind, "synced");
        } finally {
          await followed[Symbol.asyncDispose]();
        }
        assert.equal(followed.api.openStreams, 0);
        assert.equal(followed.clock.pendingTimers, 0);
      },
    ),
    { numRuns: 300 },
  );
});
