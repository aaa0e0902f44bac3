import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type LogFields, silentLog } from "../../lib/process/log.ts";
import { type FeedId, feeds } from "../feeds.ts";
import type { Batch } from "../hub/batch.ts";
import { Budget } from "../hub/budget.ts";
import { noDrops, unaccounted } from "../hub/counts.ts";
import { fakeBatch } from "../hub/fake-batch.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import type { ChunkWriter, WriteResult } from "./chunk-writer.ts";
import { StdoutSink } from "./stdout.ts";

/** Holds each chunk until the test lets it go. */
class HeldWriter implements ChunkWriter {
  text = "";
  chunks = 0;
  isClosed = false;
  #held: { readonly chunk: Buffer; readonly done: (result: WriteResult) => void } | undefined;

  write(chunk: Buffer, done: (result: WriteResult) => void): void {
    assert.equal(this.#held, undefined, "one chunk at a time");
    assert.equal(this.isClosed, false, "nothing after close");
    this.#held = { chunk, done };
    this.chunks++;
  }

  close(): void {
    this.isClosed = true;
    this.#held = undefined;
  }

  /** False when there is no chunk. */
  release(): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    this.#held = undefined;
    this.text += held.chunk.toString();
    held.done({ kind: "written" });
    return true;
  }

  breakDown(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.done({ kind: "closed", error: new Error("the reader is gone") });
  }
}

const unreadableEvent = Buffer.from([0x07]);
const messageText = { alerts: 16, logs: 17, messages: 8 } as const;

/** An event with a text in the field `Message` (of logs: `Data`). */
function event(feed: FeedId, text: string): Buffer {
  const number = messageText[feed];
  const tag = number < 16 ? [number * 8 + 2] : [((number * 8 + 2) & 0x7f) | 0x80, number >> 4];
  const length = [(text.length & 0x7f) | 0x80, ((text.length >> 7) & 0x7f) | 0x80, text.length >> 14];
  return Buffer.concat([Buffer.from([...tag, ...length]), Buffer.from(text)]);
}

function batch(feed: FeedId, events: readonly Buffer[]): Batch {
  return fakeBatch(feed, Buffer.concat(events.map(encodeFrame)), events.length);
}

/** The same on a page of its own that the budget counts. */
function offerCounted(sink: StdoutSink, budget: Budget, uncounted: Batch): void {
  const page = budget.take(uncounted.bytes.length);
  uncounted.bytes.copy(page.bytes);
  sink.offer({ ...uncounted, page, bytes: page.bytes.subarray(0, uncounted.bytes.length) });
  page.close();
}

function fixture(maxQueueBytes = 1 << 20) {
  const clock = new FakeClock();
  const writer = new HeldWriter();
  const warnings: (LogFields | undefined)[] = [];
  const errors: string[] = [];
  const log = {
    ...silentLog,
    warn: (_: string, fields?: LogFields) => warnings.push(fields),
    error: (message: string) => errors.push(message),
  };
  const sink = new StdoutSink({ maxQueueBytes }, { writer, clock, log });
  const drain = () => {
    do clock.advance(10);
    while (writer.release());
  };
  return { clock, writer, warnings, errors, sink, drain };
}

function assertBalanced(sink: StdoutSink): void {
  for (const { id } of feeds) {
    const counts = sink.counts(id);
    assert.equal(unaccounted({ expected: counts.offered, ...counts }), 0, id);
  }
}

const texts = (printed: string) =>
  printed
    .trimEnd()
    .split("\n")
    .map((line) => /"(?:Message|Data)":"(.*?)"/.exec(line)?.[1]);

/** How many events the lines on stderr sum up to. */
function said(warnings: readonly (LogFields | undefined)[], loss: string): number {
  return warnings.reduce(
    (sum, fields) => sum + ((fields?.["events"] as Record<string, number> | undefined)?.[loss] ?? 0),
    0,
  );
}

test("StdoutSink prints the events of all feeds as lines", () => {
  const { sink, writer, drain } = fixture();
  sink.offer(batch("messages", [event("messages", "m1"), event("messages", "m2")]));
  sink.offer(batch("alerts", [event("alerts", "a")]));
  sink.offer(batch("logs", [event("logs", "l")]));
  drain();
  assert.deepEqual(writer.text.trimEnd().split("\n").toSorted(), [
    '{"Message":"m1"}',
    '{"Message":"m2"}',
    '{"PPID":0,"UID":0,"Data":"l"}',
    '{"PPID":0,"UID":0,"Message":"a"}',
  ]);
  assertBalanced(sink);
});

test("StdoutSink.offer() renders nothing by itself, and one chunk for what comes in short succession", () => {
  const { sink, writer, clock } = fixture();
  sink.offer(batch("alerts", [event("alerts", "1")]));
  assert.equal(writer.chunks, 0);
  clock.advance(0);
  assert.equal(writer.chunks, 1, "a lone event is printed at once");
  writer.release();
  clock.advance(1);
  for (let index = 0; index < 50; index++) sink.offer(batch("alerts", [event("alerts", "2")]));
  clock.advance(20);
  assert.equal(writer.chunks, 2);
});

test("StdoutSink renders no more than one chunk ahead of a stuck reader, and feeds take turns", () => {
  const { sink, writer, clock, drain } = fixture(1 << 24);
  const big = event("alerts", "x".repeat(2000));
  for (let index = 0; index < 500; index++) sink.offer(batch("alerts", [big]));
  clock.advance(1000);
  sink.offer(batch("messages", [event("messages", "seen soon")]));
  assert.equal(writer.chunks, 1);
  for (let released = 0; released < 3; released++) {
    writer.release();
    clock.advance(0);
  }
  assert.match(writer.text, /seen soon/);
  drain();
  assert.equal(sink.counts("alerts").delivered, 500);
});

test("StdoutSink prints a few chunks in a turn for a reader that keeps up, then lets others have theirs", () => {
  const { sink, writer, clock, drain } = fixture(1 << 24);
  for (let index = 0; index < 500; index++) sink.offer(batch("alerts", [event("alerts", "x".repeat(2000))]));
  clock.advance(0);
  while (writer.release());
  assert.equal(writer.chunks, 4);
  clock.advance(0);
  while (writer.release());
  assert.equal(writer.chunks, 8);
  drain();
  assert.equal(sink.counts("alerts").delivered, 500);
});

test("StdoutSink prints an event that is larger than a chunk, in its place", () => {
  const { sink, writer, drain } = fixture(1 << 22);
  const large = "<".repeat(300_000);
  sink.offer(batch("messages", [event("messages", "before"), event("messages", large), event("messages", "after")]));
  drain();
  assert.deepEqual(texts(writer.text), ["before", "\\u003c".repeat(300_000), "after"]);
});

test("StdoutSink counts what is unreadable, prints what is around it and says so", () => {
  const { sink, writer, warnings, clock, drain } = fixture();
  sink.offer(batch("alerts", [event("alerts", "1"), unreadableEvent, event("alerts", "2")]));
  sink.offer(
    batch(
      "alerts",
      Array.from({ length: 50_000 }, () => unreadableEvent),
    ),
  );
  sink.offer(batch("alerts", [event("alerts", "3")]));
  clock.advance(0);
  writer.release();
  const { unreadable: inOneTurn } = sink.counts("alerts");
  assert.ok(inOneTurn < 25_000, "others have their turns in between");
  drain();
  assert.deepEqual(texts(writer.text), ["1", "2", "3"]);
  const { delivered, unreadable } = sink.counts("alerts");
  assert.deepEqual({ delivered, unreadable }, { delivered: 3, unreadable: 50_001 });
  clock.advance(1000);
  assert.equal(said(warnings, "alerts.unreadable"), 50_001);
});

test("StdoutSink drops the oldest events of the feed that is too much, counts and says them once a second", () => {
  const { sink, writer, warnings, clock, drain } = fixture(10_000);
  sink.offer(batch("alerts", [event("alerts", "kept")]));
  for (let index = 0; index < 1000; index++) {
    sink.offer(batch("logs", [event("logs", `${index} ${"x".repeat(90)}`)]));
    clock.advance(1);
  }
  assert.equal(warnings.length, 1, "the first second is said by its first loss");
  drain();
  const { offered, delivered, dropped } = sink.counts("logs");
  assert.equal(offered, 1000);
  assert.equal(dropped.mailbox, 1000 - delivered);
  assert.ok(dropped.mailbox > 0);
  const lines = texts(writer.text);
  assert.ok(lines.includes("kept"), "a flood of logs pushes no alert out");
  assert.match(lines.at(-1) ?? "", /^999 /);
  clock.advance(1000);
  assert.ok(warnings.length <= 3);
  assert.equal(said(warnings, "logs.mailbox"), dropped.mailbox);
});

test("StdoutSink gives up what waits, begun or not, when the budget of all consumers wants it, and says so", () => {
  const { sink, warnings, clock, drain, writer } = fixture();
  const budget = new Budget({ maxBytes: 1 << 20, pageBytes: 1024 });
  const many = Array.from({ length: 3000 }, (_, index) => event("alerts", `${index} ${"x".repeat(90)}`));
  offerCounted(sink, budget, batch("alerts", many));
  offerCounted(sink, budget, batch("logs", [event("logs", "kept")]));
  clock.advance(0);
  const { queued } = sink.counts("alerts");
  budget.configure(1024);
  const { dropped } = sink.counts("alerts");
  assert.ok(dropped.budget > 0 && dropped.budget < queued, "what is rendered is printed");
  clock.advance(1000);
  assert.equal(said(warnings, "alerts.budget"), dropped.budget);
  drain();
  assertBalanced(sink);
  const lines = texts(writer.text);
  assert.equal(lines.at(-1), "kept");
  assert.equal(lines.length, 3001 - dropped.budget);
  assert.equal(budget.usedBytes, 0);
});

test("StdoutSink stops for good when stdout is closed, says it once and counts the rest as dropped", () => {
  const { sink, writer, errors, clock } = fixture();
  sink.offer(batch("alerts", [event("alerts", "1"), event("alerts", "2")]));
  clock.advance(0);
  sink.offer(batch("logs", [event("logs", "3")]));
  writer.breakDown();
  sink.offer(batch("logs", [event("logs", "4")]));
  clock.advance(5000);
  assert.equal(errors.length, 1);
  assert.deepEqual(sink.counts("alerts").dropped, { ...noDrops(), disconnected: 2 });
  assert.deepEqual(sink.counts("logs").dropped, { ...noDrops(), disconnected: 2 });
  assertBalanced(sink);
  assert.equal(clock.pendingTimers, 0);
});

test("StdoutSink says what comes when nothing can be printed any more", () => {
  const { sink, writer, warnings, clock } = fixture();
  sink.offer(batch("alerts", [event("alerts", "1")]));
  clock.advance(0);
  writer.breakDown();
  sink.offer(batch("logs", [event("logs", "2"), event("logs", "3")]));
  clock.advance(5000);
  assert.deepEqual([said(warnings, "alerts.disconnected"), said(warnings, "logs.disconnected")], [1, 2]);
});

test("StdoutSink.close() prints what is queued, then nothing more", async () => {
  const { sink, writer, drain } = fixture();
  sink.offer(batch("alerts", [event("alerts", "1")]));
  const closed = sink.close(new AbortController().signal);
  drain();
  await closed;
  assert.deepEqual(texts(writer.text), ["1"]);
  assert.ok(writer.isClosed);
  sink.offer(batch("alerts", [event("alerts", "2")]));
  const { delivered, dropped } = sink.counts("alerts");
  assert.deepEqual({ delivered, dropped }, { delivered: 1, dropped: { ...noDrops(), shutdown: 1 } });
});

test("StdoutSink.close() drops what is left when its time is over", async () => {
  const { sink, warnings, clock } = fixture();
  sink.offer(batch("alerts", [event("alerts", "1")]));
  clock.advance(0);
  sink.offer(batch("logs", [event("logs", "2")]));
  const abort = new AbortController();
  const closed = sink.close(abort.signal);
  abort.abort();
  await closed;
  assert.equal(sink.counts("alerts").dropped.shutdown, 1);
  assert.equal(sink.counts("logs").dropped.shutdown, 1);
  assertBalanced(sink);
  assert.deepEqual(warnings, [{ sink: "stdout", events: { "alerts.shutdown": 1, "logs.shutdown": 1 } }]);
});

test("StdoutSink.close() of a sink that stdout was taken from returns", async () => {
  const { sink, writer, clock } = fixture();
  sink.offer(batch("alerts", [event("alerts", "1")]));
  clock.advance(0);
  const closed = sink.close(new AbortController().signal);
  writer.breakDown();
  await closed;
  await sink.close(new AbortController().signal);
  assert.equal(sink.counts("alerts").dropped.disconnected, 1);
});

test("StdoutSink accounts for every event and keeps the order of a feed under any interleaving", () => {
  const step = fc.oneof(
    {
      weight: 120,
      arbitrary: fc.record({
        kind: fc.constant("offer" as const),
        feed: fc.constantFrom(...feeds.map(({ id }) => id)),
        sizes: fc.array(fc.option(fc.nat(3000), { freq: 5 }), { minLength: 1, maxLength: 20 }),
      }),
    },
    { weight: 60, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(15) }) },
    { weight: 60, arbitrary: fc.constant({ kind: "release" as const }) },
    { weight: 10, arbitrary: fc.record({ kind: fc.constant("squeeze" as const), maxBytes: fc.nat(60_000) }) },
    { weight: 1, arbitrary: fc.constant({ kind: "break" as const }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const { sink, writer, clock, drain } = fixture(40_000);
      const budget = new Budget({ maxBytes: 1 << 20, pageBytes: 4096 });
      let ordinal = 0;
      for (const one of steps) {
        switch (one.kind) {
          case "offer":
            offerCounted(
              sink,
              budget,
              batch(
                one.feed,
                one.sizes.map((size) =>
                  size === null ? unreadableEvent : event(one.feed, `${one.feed} ${ordinal++} ${"x".repeat(size)}`),
                ),
              ),
            );
            break;
          case "advance":
            clock.advance(one.ms);
            break;
          case "release":
            writer.release();
            break;
          case "squeeze":
            budget.configure(one.maxBytes);
            assert.ok(budget.usedBytes <= one.maxBytes);
            budget.configure(1 << 20);
            break;
          case "break":
            writer.breakDown();
            break;
        }
        assertBalanced(sink);
      }
      drain();
      const lines = writer.text === "" ? [] : texts(writer.text);
      for (const { id } of feeds) {
        const { delivered, queued } = sink.counts(id);
        assert.equal(queued, 0);
        const ordinals = lines.filter((line) => line?.startsWith(id)).map((line) => Number(line?.split(" ")[1]));
        assert.equal(ordinals.length, delivered);
        assert.deepEqual(
          ordinals,
          ordinals.toSorted((a, b) => a - b),
        );
      }
      assert.equal(sink.queuedBytes, 0);
      assert.equal(budget.usedBytes, 0);
    }),
    { numRuns: 100 },
  );
});
