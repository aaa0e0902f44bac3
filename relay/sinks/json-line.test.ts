import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { FeedId } from "../feeds.ts";
import { JsonLine, unreadable } from "./json-line.ts";
import { jsonLineTables } from "./json-line-table.ts";
import { viewOf } from "./json-line-text.ts";

interface Vector {
  readonly name: string;
  readonly kind: "alert" | "log" | "message";
  readonly class: string;
  readonly wire: string;
  readonly json: string | null;
}

const feedOf: Readonly<Record<Vector["kind"], FeedId>> = { alert: "alerts", log: "logs", message: "messages" };
const fixtures = new URL("../../test/fixtures/events.jsonl", import.meta.url);
const vectors = readFileSync(fixtures, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Vector);

// What upstream cannot read although only a text in it is not UTF-8; a value that a later one overrides does not matter.
const repaired: Readonly<Record<string, string>> = {
  "badutf8/alert-Resource-lone": '{"UpdatedTime":"ok","PPID":0,"UID":0,"Resource":"\ufffd"}',
  "badutf8/log-Data-ff": '{"PPID":0,"UID":0,"Data":"a\ufffdb"}',
  "badutf8/message-Message-surrogate": '{"Message":"\ufffd\ufffd\ufffd"}',
  "badutf8/alert-ATags-second": '{"PPID":0,"UID":0,"ATags":["fine","\ufffd\ufffd"]}',
  "badutf8/log-Owner-Name": '{"Owner":{"Name":"\ufffd\ufffd\ufffd\ufffd"},"PPID":0,"UID":0}',
  "badutf8/alert-EventData-key": '{"PPID":0,"UID":0,"EventData":{"abc\ufffd":"v"}}',
  "badutf8/log-EventData-value": '{"PPID":0,"UID":0,"EventData":{"k":"\ufffd"}}',
  "badutf8/log-overwritten-by-valid": '{"PPID":0,"UID":0,"Resource":"valid"}',
  "badutf8/alert-ExecEvent-ExecID": '{"PPID":0,"UID":0,"ExecEvent":{"ExecID":"a\ufffdb"}}',
};

/** The line of an event, or undefined if it is unreadable; the event lies amid other bytes, as it does in a batch. */
function print(feed: FeedId, event: Buffer): string | undefined {
  const printer = new JsonLine(jsonLineTables[feed]);
  const source = Buffer.concat([Buffer.alloc(5, 0xff), event, Buffer.alloc(5, 0xff)]);
  const start = 3;
  const target = Buffer.alloc(start + printer.maxBytes(event.length), 0xee);
  const end = printer.write(viewOf(source), 5, 5 + event.length, viewOf(target), start);
  if (end !== unreadable) return target.toString("utf8", start, end);
  assert.ok(
    target.every((byte) => byte === 0xee),
    "nothing is half written",
  );
  return undefined;
}

/** An entry of EventData of an alert. */
function entry(key: readonly number[], value: string): Buffer {
  const body = [0x0a, key.length, ...key, 0x12, value.length, ...Buffer.from(value)];
  return Buffer.from([0xda, 0x02, body.length, ...body]);
}

describe("JsonLine.write() prints as upstream does", () => {
  for (const { name, kind, wire, json } of vectors) {
    if (json === null) continue;
    test(`${kind} ${name}`, () => assert.equal(print(feedOf[kind], Buffer.from(wire, "base64")), json));
  }
});

describe("JsonLine.write() of what upstream cannot read", () => {
  for (const { name, kind, wire, json } of vectors) {
    if (json !== null) continue;
    const expected = repaired[name];
    test(`${kind} ${name} ${expected === undefined ? "is unreadable" : "prints U+FFFD"}`, () =>
      assert.equal(print(feedOf[kind], Buffer.from(wire, "base64")), expected));
  }
});

test("JsonLine.write() prints a map key once if two keys are alike after repair", () => {
  const event = Buffer.concat([entry([0xff], "first"), entry([0x41], "a"), entry([0xfe], "last")]);
  assert.equal(print("alerts", event), '{"PPID":0,"UID":0,"EventData":{"A":"a","\ufffd":"last"}}');
});

test("JsonLine.write() carries nothing over from one event to the next", () => {
  const printer = new JsonLine(jsonLineTables.alerts);
  const readable = vectors.filter(({ kind }) => kind === "alert");
  const target = viewOf(Buffer.alloc(1 << 20));
  for (const { wire, json, name } of [...readable, ...readable.toReversed()]) {
    const event = Buffer.from(wire, "base64");
    const end = printer.write(viewOf(event), 0, event.length, target, 0);
    const line = end === unreadable ? undefined : target.bytes.toString("utf8", 0, end);
    assert.equal(line, json ?? repaired[name], name);
  }
});
