import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { Hub } from "../../relay/hub/hub.ts";
import { type EventStream, Subscriber } from "../../relay/server/subscriber.ts";
import { bounds } from "../../relay/settings/settings.ts";
import { StdoutSink } from "../../relay/sinks/stdout.ts";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";

/** As large as gRPC's default for a message allows: an alert whose Message fills it. */
function largestAlert(): Buffer {
  const bytes = 4 * 1024 ** 2;
  const prefix = Buffer.from([0x82, 0x01]);
  const length = bytes - prefix.length - 4;
  const varint = [0, 7, 14, 21].map((shift, index) => ((length >> shift) & 0x7f) | (index < 3 ? 0x80 : 0));
  return encodeFrame(Buffer.concat([prefix, Buffer.from(varint), Buffer.alloc(length, "x")]));
}

for (const mailboxBytes of [bounds.mailboxBytes.min, 8 * 1024 ** 2]) {
  test(`the smallest limits.bufferBytes has room for the largest events, mailboxBytes being ${mailboxBytes}`, () => {
    const clock = new FakeClock();
    const bufferBytes = bounds.bufferBytes.min;
    const hub = new Hub({ pageBytes: 64 * 1024, minIntervalMs: 1, bufferBytes }, clock);
    const options = { mailboxBytes, maxWriteBytes: 128 * 1024 };
    const subscribers = Array.from({ length: 10 }, () => {
      const stream: EventStream = {
        cork() {},
        uncork() {},
        write(_bytes, callback) {
          clock.soon(callback);
          return true;
        },
      };
      return new Subscriber(options, { stream, clock, budget: hub.budget });
    });
    let printedBytes = 0;
    const stdout = new StdoutSink(
      { maxQueueBytes: 16 * 1024 ** 2 },
      {
        clock,
        log: silentLog,
        writer: {
          write(chunk, done) {
            printedBytes += chunk.length;
            clock.soon(() => done({ kind: "written" }));
          },
          close() {},
        },
      },
    );
    for (const consumer of [...subscribers, stdout]) hub.subscribe("alerts", consumer);
    const event = largestAlert();
    for (let round = 0; round < 5; round++) {
      hub.publish("alerts", event, 1);
      clock.advance(100);
    }
    for (const subscriber of subscribers) assert.equal(subscriber.counts().delivered, 5);
    assert.equal(stdout.counts("alerts").delivered, 5);
    assert.ok(printedBytes > 5 * 4_000_000);
  });
}
