import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../process/fake-clock.ts";
import { silentLog } from "../process/log.ts";
import { ApiError } from "./errors.ts";
import { problemOfTimes, startElection } from "./lease.ts";
import type { Election, ElectionDeps } from "./lease.ts";
import { specOf } from "./lease-record.ts";
import type { LeaseSpec } from "./lease-record.ts";
import { settle } from "./testing/recording-clock.ts";
import type { KubeObject } from "./types.ts";

const options = { namespace: "kubearmor", name: "relay-operator" };

/** One Lease with optimistic locking. */
class LeaseApi {
  lease: KubeObject | undefined;
  writes = 0;
  state: "up" | "down" | "hanging" = "up";
  #version = 0;

  edit(spec: LeaseSpec): void {
    const metadata = { ...this.lease?.metadata, ...options, resourceVersion: String((this.#version += 1)) };
    this.lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
  }

  /** As `kubectl label` or another controller would. */
  annotate(annotations: Readonly<Record<string, string>>): void {
    const { spec } = this;
    this.edit(spec);
    if (this.lease !== undefined) {
      const { metadata } = this.lease;
      this.lease = {
        ...this.lease,
        metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
      };
    }
  }

  get spec(): LeaseSpec {
    return this.lease === undefined ? {} : specOf(this.lease);
  }

  client(): ElectionDeps["client"] {
    return {
      get: (_resource, _name, signal) => this.#answer(signal, () => this.lease),
      create: (_resource, object, signal) =>
        this.#answer(signal, () => {
          if (this.lease !== undefined) throw failure(409, "AlreadyExists");
          return this.#write(object);
        }),
      replace: (_resource, object, signal) =>
        this.#answer(signal, () => {
          if (this.lease === undefined) throw failure(404, "NotFound");
          const isCurrent = object.metadata.resourceVersion === this.lease.metadata.resourceVersion;
          if (!isCurrent) throw failure(409, "Conflict");
          return this.#write(object);
        }),
    };
  }

  #write(object: KubeObject): KubeObject {
    this.writes += 1;
    this.edit(specOf(object));
    const { annotations = {} } = object.metadata;
    this.lease = { ...object, ...this.lease, metadata: { ...object.metadata, ...this.lease?.metadata, annotations } };
    return this.lease;
  }

  async #answer<T>(signal: AbortSignal | undefined, act: () => T): Promise<T> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.state === "hanging") {
      await new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
    }
    signal?.throwIfAborted();
    if (this.state === "down") throw new Error("refused");
    return act();
  }
}

function failure(code: number, reason: string): ApiError {
  return new ApiError(code, { reason }, { verb: "update", resource: "leases" });
}

function join(api: LeaseApi, clock: FakeClock, identity: string): Election {
  return startElection({ ...options, identity }, { client: api.client(), clock, random: () => 0.999, log: silentLog });
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  // In steps, so that what follows from one timer may set the next.
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(Math.min(500, left));
    await settle();
  }
}

async function isResolved(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

test("startElection() takes a lease that nobody holds and renews it every two seconds", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock(1_700_000_000_123);
  await using election = join(api, clock, "one");
  await election.acquired;
  assert.equal(election.mayWrite(), true);
  assert.deepEqual(api.spec, {
    holderIdentity: "one",
    leaseDurationSeconds: 15,
    acquireTime: "2023-11-14T22:13:20.123000Z",
    renewTime: "2023-11-14T22:13:20.123000Z",
    leaseTransitions: 0,
  });
  await pass(clock, 10_000);
  assert.equal(api.writes, 6);
  assert.equal(api.spec.acquireTime, "2023-11-14T22:13:20.123000Z");
  assert.equal(api.spec.renewTime, "2023-11-14T22:13:30.123000Z");
});

test("startElection() looks as often as it is told, and takes what is given back at the next look", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  const first = join(api, clock, "one");
  await first.acquired;
  const deps = { client: api.client(), clock, random: () => 0.999, log: silentLog };
  await using second = startElection({ ...options, identity: "two", lookPeriodMs: 1_000 }, deps);
  await pass(clock, 500);
  await first[Symbol.asyncDispose]();
  await pass(clock, 1_000);
  assert.equal(await isResolved(second.acquired), true);
});

test("startElection() leaves a lease alone as long as it keeps changing, whatever its times say", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  const holder = { holderIdentity: "other", leaseDurationSeconds: 15, leaseTransitions: 3 };
  // Hours behind our clock: skewed, or an edit by hand.
  api.edit({ ...holder, renewTime: "1960-01-01T00:00:00.000000Z" });
  await using election = join(api, clock, "one");
  for (let round = 0; round < 10; round += 1) {
    await pass(clock, 10_000);
    api.edit({ ...holder, renewTime: `1960-01-01T00:01:0${round}.000000Z` });
    assert.equal(election.mayWrite(), false);
  }
  assert.equal(api.writes, 0);
  await pass(clock, 14_000);
  assert.equal(api.writes, 0);
  await pass(clock, 5_000);
  assert.equal(election.mayWrite(), true);
  assert.equal(api.spec.holderIdentity, "one");
  assert.equal(api.spec.leaseTransitions, 4);
});

test("startElection() lets one of two have the lease, and the other within two seconds of its release", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  const first = join(api, clock, "one");
  await first.acquired;
  await using second = join(api, clock, "two");
  await pass(clock, 60_000);
  assert.deepEqual([first.mayWrite(), second.mayWrite()], [true, false]);
  await first[Symbol.asyncDispose]();
  assert.equal(first.mayWrite(), false);
  assert.deepEqual([api.spec.holderIdentity, api.spec.leaseDurationSeconds], ["", 1]);
  await pass(clock, 2_000);
  assert.equal(second.mayWrite(), true);
  assert.equal(api.spec.leaseTransitions, 1);
});

test("startElection(): two that find the same lease over race for it, and one wins", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  api.edit({ holderIdentity: "" });
  await using first = join(api, clock, "one");
  await using second = join(api, clock, "two");
  await pass(clock, 10_000);
  assert.equal(Number(first.mayWrite()) + Number(second.mayWrite()), 1);
});

for (const state of ["down", "hanging"] as const) {
  test(`Election: nobody may write ten seconds after the last renewal, when the server is ${state}`, async () => {
    const api = new LeaseApi();
    const clock = new FakeClock();
    await using election = join(api, clock, "one");
    await election.acquired;
    api.state = state;
    await pass(clock, 10_000);
    assert.equal(election.mayWrite(), true);
    await pass(clock, 500);
    assert.equal(election.mayWrite(), false);
    assert.match((await election.lost).message, /no renewal for more than 10000 ms/);
    // It does not come back by itself: whoever lost it must end first.
    api.state = "up";
    await pass(clock, 60_000);
    assert.equal(election.mayWrite(), false);
  });
}

test("Election outlives a failure that is shorter than the renew deadline", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  await using election = join(api, clock, "one");
  await election.acquired;
  api.state = "down";
  await pass(clock, 7_000);
  api.state = "up";
  await pass(clock, 60_000);
  assert.equal(election.mayWrite(), true);
  assert.equal(await isResolved(election.lost), false);
});

test("Election.mayWrite() is false at once after the event loop was blocked, and the lease is not renewed", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  await using election = join(api, clock, "one");
  await election.acquired;
  const { writes } = api;
  // No turn of the event loop between: only the fence can know.
  clock.advance(20_000);
  assert.equal(election.mayWrite(), false);
  await settle();
  assert.equal(api.writes, writes);
  assert.match((await election.lost).message, /no renewal/);
});

test("Election is lost when another one took the lease, and says who", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  await using election = join(api, clock, "one");
  await election.acquired;
  api.edit({ holderIdentity: "thief", leaseDurationSeconds: 15 });
  // The first renewal meets the conflict, the second reads who it is.
  await pass(clock, 4_000);
  assert.match((await election.lost).message, /"thief" holds it/);
  assert.equal(election.mayWrite(), false);
  assert.equal(api.spec.holderIdentity, "thief");
});

test("Election stays when a human deletes or edits the lease", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  await using election = join(api, clock, "one");
  await election.acquired;
  api.lease = undefined;
  await pass(clock, 6_000);
  assert.equal(election.mayWrite(), true);
  assert.equal(api.spec.holderIdentity, "one");
  api.edit({ ...api.spec, leaseDurationSeconds: 1 });
  await pass(clock, 6_000);
  assert.equal(election.mayWrite(), true);
  assert.equal(api.spec.leaseDurationSeconds, 15);
});

test("Election keeps the labels that others gave the lease", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  api.edit({});
  assert.ok(api.lease !== undefined);
  api.lease = { ...api.lease, metadata: { ...api.lease.metadata, labels: { team: "x" } } };
  const sent: KubeObject[] = [];
  const client = api.client();
  const replace: typeof client.replace = (resource, object, signal) => {
    sent.push(object);
    return client.replace(resource, object, signal);
  };
  await using election = startElection(
    { ...options, identity: "one" },
    { client: { ...client, replace }, clock, random: () => 0, log: silentLog },
  );
  await election.acquired;
  assert.deepEqual(sent[0]?.metadata.labels, { team: "x" });
});

test("Election: a lease that is deleted under its holder is the holder's until its time is over", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  await using first = join(api, clock, "one");
  await first.acquired;
  await using second = join(api, clock, "two");
  await pass(clock, 4_000);
  api.lease = undefined;
  await pass(clock, 30_000);
  assert.equal(first.mayWrite(), true);
  assert.equal(second.mayWrite(), false);
  assert.equal(api.spec.holderIdentity, "one");
});

test("startElection() takes a dead holder's lease in time, however often others write on its metadata", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  api.edit({ holderIdentity: "dead", leaseDurationSeconds: 15, renewTime: "2023-11-14T22:13:20.123000Z" });
  await using election = join(api, clock, "one");
  for (let second = 0; second < 19; second += 1) {
    await pass(clock, 1_000);
    api.annotate({ touched: String(second) });
  }
  // A look now and then meets the write of somebody else.
  await pass(clock, 4_000);
  assert.equal(election.mayWrite(), true);
});

test("Election: what others write beside the spec is not told as the holder's word", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  const spec = { holderIdentity: "other", leaseDurationSeconds: 15 };
  api.edit({ ...spec, renewTime: "1" });
  api.annotate({ said: "by the holder" });
  const seen: string[] = [];
  await using _standby = startElection(
    {
      ...options,
      identity: "one",
      onOther: ({ lease, changedBeforeMs, heldUntilMs }) =>
        seen.push(`${lease.metadata.annotations?.["said"]} ${changedBeforeMs} ${heldUntilMs}`),
    },
    { client: api.client(), clock, random: () => 0.999, log: silentLog },
  );
  await pass(clock, 1_000);
  api.annotate({ said: "by a stranger" });
  await pass(clock, 4_000);
  assert.deepEqual([...new Set(seen)], ["by the holder 500 15500"]);
  api.edit({ ...spec, renewTime: "2" });
  api.annotate({ said: "with a renewal" });
  await pass(clock, 2_000);
  assert.match(seen.at(-1) ?? "", /^with a renewal [56]\d\d\d 2[01]\d\d\d$/);
});

test("startElection() leaves a free lease alone while it may not be taken, and renews its own without asking", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  api.edit({ holderIdentity: "" });
  let isReady = false;
  await using election = startElection(
    { ...options, identity: "one", mayTake: () => isReady },
    { client: api.client(), clock, random: () => 0, log: silentLog },
  );
  await pass(clock, 30_000);
  assert.equal(api.writes, 0);
  isReady = true;
  await pass(clock, 1_000);
  assert.equal(election.mayWrite(), true);
  isReady = false;
  await pass(clock, 30_000);
  assert.equal(election.mayWrite(), true);
});

test("Election tells of the lease in other hands, since when it may be so, and what its holder says", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  let said = 0;
  const holder = startElection(
    { ...options, identity: "one", annotations: () => ({ said: String((said += 1)) }) },
    { client: api.client(), clock, random: () => 0.999, log: silentLog },
  );
  await holder.acquired;
  const seen: string[] = [];
  await using standby = startElection(
    {
      ...options,
      identity: "two",
      onOther: ({ lease, changedAfterMs }) => {
        const { holderIdentity = "" } = specOf(lease);
        seen.push(`${clock.monotonic() - changedAfterMs} ${holderIdentity} ${lease.metadata.annotations?.["said"]}`);
      },
    },
    { client: api.client(), clock, random: () => 0.999, log: silentLog },
  );
  await pass(clock, 2_500);
  assert.match(seen[0] ?? "", /^Infinity one 1$/);
  assert.match(seen.at(-1) ?? "", /^[12]\d\d\d one 2$/);
  await holder[Symbol.asyncDispose]();
  await pass(clock, 2_000);
  await standby.acquired;
  assert.match(seen.at(-1) ?? "", /^[12]\d\d\d {2}3$/);
});

test("Election: dispose before the lease was ours rejects acquired, writes nothing, leaves no timer", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  api.edit({ holderIdentity: "other", leaseDurationSeconds: 15 });
  const election = join(api, clock, "one");
  await settle();
  await election[Symbol.asyncDispose]();
  await assert.rejects(election.acquired, /stopped/);
  assert.equal(api.writes, 0);
  assert.equal(clock.pendingTimers, 0);
});

test("Election: dispose while a renewal is under way gives the lease back all the same", async () => {
  const api = new LeaseApi();
  const clock = new FakeClock();
  const election = join(api, clock, "one");
  await election.acquired;
  clock.advance(2_000);
  await Promise.resolve();
  await election[Symbol.asyncDispose]();
  assert.equal(api.spec.holderIdentity, "");
  assert.equal(await isResolved(election.lost), false);
});

test("startElection() refuses times that do not fall in order", () => {
  const deps = { client: new LeaseApi().client(), clock: new FakeClock(), random: () => 0, log: silentLog };
  assert.throws(
    () => startElection({ ...options, identity: "one", leaseDurationMs: 5_000 }, deps),
    /must be more than the renew deadline: duration 5000 ms, renew deadline 10000 ms, retry period 2000 ms/,
  );
});

const times: Readonly<Record<string, readonly [leaseMs: number, renewMs: number, retryMs: number, problem?: RegExp]>> =
  {
    "the defaults": [15_000, 10_000, 2_000],
    "the shortest": [1_000, 900, 100],
    "a lease that ends with the deadline": [10_000, 10_000, 2_000, /duration must be more than the renew deadline/],
    "a deadline that a spread attempt may miss": [
      15_000,
      2_400,
      2_000,
      /deadline must be more than 1\.2 times the retry/,
    ],
    "a lease of less than a second": [900, 500, 100, /duration must be 1 s or more/],
    "no pause between attempts": [15_000, 10_000, 0, /retry period must be more than 0/],
  };

for (const [sentence, [leaseDurationMs, renewDeadlineMs, retryPeriodMs, problem]] of Object.entries(times)) {
  test(`problemOfTimes() of ${sentence}: ${problem === undefined ? "none" : "refused"}`, () => {
    const found = problemOfTimes({ leaseDurationMs, renewDeadlineMs, retryPeriodMs });
    assert.match(found ?? "", problem ?? /^$/);
  });
}
