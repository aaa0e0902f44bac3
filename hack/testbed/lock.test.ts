import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type LockDeps, withLock } from "./lock.ts";

const first = { pid: 11, started: "boot/100" };
const second = { pid: 12, started: "boot/200" };

interface Heard {
  readonly waited: number[];
  readonly stale: number[];
}

/** Dependencies of a process, and what it was told. Waiting for a lock gives the others a turn of the event loop. */
function deps(self: LockDeps["self"], alive: readonly LockDeps["self"][]): LockDeps & Heard {
  const waited: number[] = [];
  const stale: number[] = [];
  return {
    self,
    waited,
    stale,
    isAlive: (owner) => alive.some(({ pid, started }) => pid === owner.pid && started === owner.started),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    onWait: ({ pid }) => waited.push(pid),
    onStale: ({ pid }) => stale.push(pid),
  };
}

function scratch(): Disposable & { readonly dir: string; readonly lock: string } {
  const dir = mkdtempSync(join(tmpdir(), "lock-test-"));
  return { dir, lock: join(dir, "x.lock"), [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

test("withLock() runs one work after the other, and says whom it waits for once", async () => {
  using place = scratch();
  const one = deps(first, [first, second]);
  const two = deps(second, [first, second]);
  const events: string[] = [];
  const { promise: hold, resolve: release } = Promise.withResolvers<void>();
  const a = withLock(place.lock, one, async () => {
    events.push("first begins");
    await hold;
    events.push("first ends");
  });
  const b = withLock(place.lock, two, async () => {
    events.push("second begins");
  });
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  release();
  await Promise.all([a, b]);
  assert.deepEqual(events, ["first begins", "first ends", "second begins"]);
  assert.deepEqual(two.waited, [11]);
  assert.deepEqual(readdirSync(place.dir), []);
});

test("withLock() takes over from a process that is gone", async () => {
  using place = scratch();
  writeFileSync(place.lock, JSON.stringify(first));
  const two = deps(second, [second]);
  assert.equal(await withLock(place.lock, two, () => Promise.resolve("done")), "done");
  assert.deepEqual(two.stale, [11]);
});

test("withLock() does not mistake a reused process id for the owner", async () => {
  using place = scratch();
  writeFileSync(place.lock, JSON.stringify({ pid: first.pid, started: "boot/50" }));
  const two = deps(second, [first, second]);
  await withLock(place.lock, two, () => Promise.resolve());
  assert.deepEqual(two.stale, [11]);
});

test("withLock() frees the lock when the work fails", async () => {
  using place = scratch();
  await assert.rejects(
    withLock(place.lock, deps(first, [first]), () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.ok(!existsSync(place.lock));
});

test("withLock() names the file when it cannot be read", async () => {
  using place = scratch();
  writeFileSync(place.lock, "{");
  await assert.rejects(
    withLock(place.lock, deps(first, [first]), () => Promise.resolve()),
    /Cannot read the lock .*x\.lock: remove it by hand/,
  );
});
