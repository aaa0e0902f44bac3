import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { ThrottleCounts, throttleNoticesIn } from "./throttle.ts";

interface Fixture {
  readonly name: string;
  readonly wire: string;
}

const fixtures = readFileSync(new URL("../../test/fixtures/events.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Fixture);
const real = frameOf("real/alert-throttle-notice");
const alert = frameOf("real/alert-process-block");

function frameOf(name: string): Buffer {
  const found = fixtures.find((fixture) => fixture.name === name);
  return encodeFrame(Buffer.from(found?.wire ?? assert.fail(`No fixture ${name}`), "base64"));
}

/** A field: text as bytes, a number as a varint of one byte or two. */
function field(number: number, value: string | number): Buffer {
  const tag = (type: number) => varint(number * 8 + type);
  if (typeof value === "number") return Buffer.concat([tag(0), varint(value)]);
  const text = Buffer.from(value);
  return Buffer.concat([tag(2), varint(text.length), text]);
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.of((value % 128) + 128, Math.floor(value / 128));
}

const fields = [
  field(5, "shop"),
  field(6, "cart-1"),
  field(17, "SystemEvent"),
  field(19, "AlertThreshold"),
  field(34, 10),
  field(35, 300),
];
const notice = { namespace: "shop", pod: "cart-1", maxAlertsPerSecond: 10, droppingSeconds: 300 };
const none = { namespace: "", pod: "", maxAlertsPerSecond: 0, droppingSeconds: 0 };

const messages: Record<string, { message: readonly Buffer[]; notice: typeof notice | undefined }> = {
  "a notice": { message: fields, notice },
  "fields in another order": { message: fields.toReversed(), notice },
  "a notice of which only the kind is known": { message: fields.slice(2, 4), notice: none },
  "fields that are unknown": { message: [field(200, "new"), ...fields, field(201, 7)], notice },
  "the last value of a field": { message: [field(5, "old"), field(34, 99), ...fields], notice },
  "a name that no Kubernetes object has is cut": {
    message: [...fields, field(6, "p".repeat(300))],
    notice: { ...notice, pod: "p".repeat(253) },
  },
  "values of other types are none": {
    message: [...fields.slice(0, 4), field(34, "x"), field(35, "y")],
    notice: { ...notice, maxAlertsPerSecond: 0, droppingSeconds: 0 },
  },
  "another type is none": { message: [field(17, "MatchedPolicy"), field(19, "AlertThreshold")], notice: undefined },
  "another operation is none": { message: [field(17, "SystemEvent"), field(19, "Process")], notice: undefined },
  "the word in another field is none": {
    message: [field(17, "SystemEvent"), field(19, "File"), field(18, "AlertThreshold")],
    notice: undefined,
  },
  "a malformed message is none": { message: [...fields, Buffer.of(0x0a, 5, 1)], notice: undefined },
};
for (const [sentence, its] of Object.entries(messages)) {
  test(`throttleNoticesIn(): ${sentence}`, () => {
    const frame = encodeFrame(Buffer.concat(its.message));
    assert.deepEqual(throttleNoticesIn(frame), its.notice === undefined ? [] : [its.notice]);
  });
}

test("throttleNoticesIn() finds all in a run, between other events", () => {
  const made = encodeFrame(Buffer.concat(fields));
  const decoy = encodeFrame(field(18, "AlertThreshold"));
  assert.deepEqual(throttleNoticesIn(Buffer.concat([alert, alert])), []);
  assert.deepEqual(throttleNoticesIn(Buffer.concat([alert, made, decoy, alert, made, made, decoy])), [
    notice,
    notice,
    notice,
  ]);
  assert.deepEqual(throttleNoticesIn(Buffer.alloc(0)), []);
});

test("throttleNoticesIn() reads what agents send", () => {
  const [found, ...more] = throttleNoticesIn(Buffer.concat([alert, real, alert]));
  assert.deepEqual(more, []);
  assert.deepEqual(found, {
    namespace: "wordpress-mysql",
    pod: found?.pod,
    maxAlertsPerSecond: 10,
    droppingSeconds: 30,
  });
  assert.match(found.pod, /^wordpress-/);
});

test("ThrottleCounts counts notices, and keeps the last one with its time", () => {
  const counts = new ThrottleCounts();
  counts.look(alert, 1_000);
  assert.deepEqual(counts.summary(), { notices: 0, last: undefined });
  counts.look(Buffer.concat([real, real]), 2_000);
  counts.look(encodeFrame(Buffer.concat(fields)), 3_000);
  counts.look(alert, 4_000);
  assert.deepEqual(counts.summary(), { notices: 3, last: { ...notice, atMs: 3_000 } });
  assert.equal(counts.notices, 3);
});
