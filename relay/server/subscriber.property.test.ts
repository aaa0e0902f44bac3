import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { feeds, type FeedId } from "../feeds.ts";
import { type ConsumerLedger, sumOf, unaccounted, unaccountedInHub } from "../hub/counts.ts";
import { Hub } from "../hub/hub.ts";
import type { Membership } from "../hub/membership.ts";
import { encodeFrame, framePrefixBytes } from "../wire/frame-cutter.ts";
import { Subscriber } from "./subscriber.ts";

const pageBytes = 256;
const maxEventBytes = 900;
const feedIds = feeds.map(({ id }) => id);

/** A write as it was when it began: until the kernel has done with it, its bytes must stay what they are. */
interface Write {
  readonly bytes: Buffer;
  readonly copy: Buffer;
  readonly callback: (error?: Error | null) => void;
}

/** An event whose every byte tells its number; the number begins with it. */
function event(number: number, extra: number): Buffer {
  const message = Buffer.alloc(4 + extra, number * 31);
  message.writeUInt32BE(number);
  return encodeFrame(message);
}

class Client {
  readonly feed: FeedId;
  readonly isHealthy: boolean;
  readonly subscriber: Subscriber;
  readonly membership: Membership;
  readonly #world: World;
  readonly #publishedBefore: number;
  #expectedAtLeave: number | undefined;
  #writes: Write[] = [];
  /** Of writes that failed: a connection may still be sending them. */
  readonly #failed: Write[] = [];
  #lastNumber = -1;
  #delivered = 0;

  constructor(world: World, feed: FeedId, isHealthy: boolean) {
    this.feed = feed;
    this.isHealthy = isHealthy;
    this.#world = world;
    const stream = {
      cork() {},
      uncork() {},
      write: (bytes: Buffer, callback: Write["callback"]) => {
        this.#writes.push({ bytes, copy: Buffer.from(bytes), callback });
        return false;
      },
    };
    this.subscriber = new Subscriber(
      { mailboxBytes: isHealthy ? 1 << 20 : 2000, maxWriteBytes: 600 },
      { stream, clock: world.clock, budget: world.hub.budget },
    );
    this.membership = world.hub.subscribe(feed, this.subscriber);
    this.#publishedBefore = world.published[feed];
  }

  get isWriting(): boolean {
    return this.#writes.length > 0;
  }

  ledger(): ConsumerLedger {
    return { expected: this.membership.expected, ...this.subscriber.counts() };
  }

  /** Takes what is being written. */
  read(): void {
    const writes = this.#writes.splice(0);
    for (const { bytes, copy } of writes) {
      assert.ok(bytes.equals(copy), "bytes that are being written do not change");
      for (let at = 0; at < bytes.length; ) {
        const length = bytes.readUInt32BE(at + 1);
        const number = bytes.readUInt32BE(at + framePrefixBytes);
        const end = at + framePrefixBytes + length;
        assert.ok(number > this.#lastNumber, "in order, none twice");
        assert.ok(bytes.subarray(at, end).equals(event(number, length - 4)), "unchanged");
        this.#lastNumber = number;
        this.#delivered++;
        at = end;
      }
    }
    for (const { callback } of writes) callback();
  }

  breakDown(): void {
    this.leave();
    const writes = this.#writes.splice(0);
    this.#failed.push(...writes);
    for (const { callback } of writes) callback(new Error("reset"));
  }

  leave(): void {
    this.#expectedAtLeave ??= this.#expected();
    this.membership.leave();
    this.subscriber.close("disconnected");
  }

  check(): void {
    const ledger = this.ledger();
    assert.equal(ledger.expected, this.#expectedAtLeave ?? this.#expected());
    assert.equal(ledger.offered, ledger.expected);
    assert.equal(ledger.delivered, this.#delivered);
    assert.equal(unaccounted(ledger), 0);
    assert.equal(ledger.queued > 0, this.isWriting, "no event waits while nothing is being written");
    if (this.isHealthy) {
      const { mailbox, budget } = ledger.dropped;
      assert.deepEqual({ mailbox, budget }, { mailbox: 0, budget: 0 }, "a healthy client loses nothing");
    }
    for (const { bytes, copy } of this.#failed)
      assert.ok(bytes.equals(copy), "what a failed write had does not change");
  }

  #expected(): number {
    const { published, hub } = this.#world;
    return published[this.feed] - hub.totals(this.feed).gathered - this.#publishedBefore;
  }
}

class World {
  readonly clock = new FakeClock();
  readonly hub: Hub;
  readonly published: Record<FeedId, number> = { alerts: 0, logs: 0, messages: 0 };
  readonly clients: Client[] = [];
  readonly #isHealthyKept: boolean;
  #maxBytes: number;
  #lastNumber = 0;

  constructor(bufferBytes: number, isHealthyKept: boolean) {
    this.hub = new Hub({ pageBytes, minIntervalMs: 1, bufferBytes }, this.clock);
    this.#maxBytes = bufferBytes;
    this.#isHealthyKept = isHealthyKept;
  }

  join(feed: FeedId, isHealthy: boolean): void {
    // Those who are healthy would not be for long in a budget that is smaller than what is written for others.
    this.clients.push(new Client(this, feed, isHealthy && this.#isHealthyKept));
  }

  publish(feed: FeedId, sizes: readonly number[]): void {
    const run = Buffer.concat(sizes.map((extra) => event(++this.#lastNumber, extra)));
    this.published[feed] += sizes.length;
    this.hub.publish(feed, run, sizes.length);
    // The network uses its read buffer again.
    run.fill(0xff);
  }

  configure(bufferBytes: number): void {
    this.#maxBytes = Math.max(this.#maxBytes, bufferBytes);
    this.hub.budget.configure(bufferBytes);
  }

  check(): void {
    for (const client of this.clients) client.check();
    for (const id of feedIds) {
      const totals = this.hub.totals(id);
      assert.equal(totals.received, this.published[id]);
      assert.equal(unaccountedInHub(totals), 0);
    }
    const { budget } = this.hub;
    const openBytes = feedIds.length * Math.max(pageBytes, framePrefixBytes + 4 + maxEventBytes);
    assert.ok(budget.usedBytes <= Math.max(budget.maxBytes, budget.pinnedBytes + openBytes), "the budget holds");
    // By the largest budget so far: what is being written does not shrink with it.
    assert.ok(budget.pinnedBytes <= this.#maxBytes / 2 + this.clients.length * pageBytes, "writes are bounded");
  }

  /** Everybody takes everything, then leaves. */
  end(): void {
    this.hub.flush();
    for (const client of this.clients) {
      while (client.isWriting) client.read();
      client.check();
      client.leave();
      client.check();
    }
    for (const { feed, subscriber } of this.clients) {
      const { offered, delivered, dropped } = subscriber.counts();
      assert.equal(offered, delivered + sumOf(dropped), feed);
    }
    assert.deepEqual([this.hub.budget.usedBytes, this.hub.budget.pinnedBytes], [0, 0], "nobody has a page");
  }
}

function steps(minBudget: number) {
  const feed = fc.constantFrom(...feedIds);
  const client = fc.nat(7);
  const size = fc.oneof({ weight: 20, arbitrary: fc.nat(120) }, { weight: 1, arbitrary: fc.nat(maxEventBytes) });
  return fc.array(
    fc.oneof(
      {
        weight: 40,
        arbitrary: fc.record({
          kind: fc.constant("publish" as const),
          feed,
          sizes: fc.array(size, { minLength: 1, maxLength: 8 }),
        }),
      },
      { weight: 15, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(3) }) },
      { weight: 15, arbitrary: fc.record({ kind: fc.constant("read" as const), client }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("breakDown" as const, "leave" as const), client }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("join" as const), feed, isHealthy: fc.boolean() }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("budget" as const),
          bytes: fc.integer({ min: minBudget, max: 4 * minBudget }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant("mailbox" as const), client, bytes: fc.nat(3000) }),
      },
    ),
    { maxLength: 400, size: "max" },
  );
}

/** Healthy clients can be promised their events where the budget is larger than what stalled ones keep being written. */
const budgets: Readonly<Record<string, { readonly min: number; readonly isHealthyKept: boolean }>> = {
  "of a budget that is larger than what is being written": { min: 20_000, isHealthyKept: true },
  "of a budget that is always too small": { min: 1000, isHealthyKept: false },
};

for (const [name, { min, isHealthyKept }] of Object.entries(budgets)) {
  test(`Hub and Subscribers account for every event and keep their bounds under any interleaving, ${name}`, () => {
    fc.assert(
      fc.property(steps(min), (script) => {
        const world = new World(min, isHealthyKept);
        for (const id of feedIds) world.join(id, true);
        for (const step of script) {
          switch (step.kind) {
            case "publish":
              world.publish(step.feed, step.sizes);
              break;
            case "advance":
              world.clock.advance(step.ms);
              break;
            case "join":
              if (world.clients.length < 8) world.join(step.feed, step.isHealthy);
              break;
            case "budget":
              world.configure(step.bytes);
              break;
            case "mailbox": {
              const client = world.clients[step.client];
              if (client?.isHealthy === false) client.subscriber.configure({ mailboxBytes: step.bytes });
              break;
            }
            case "read":
            case "leave":
            case "breakDown":
              world.clients[step.client]?.[step.kind]();
              break;
          }
          for (const client of world.clients) while (client.isHealthy && client.isWriting) client.read();
          world.check();
        }
        world.end();
      }),
      { numRuns: 100 },
    );
  });
}
