import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FeedId, feeds } from "../feeds.ts";
import { JsonLine, unreadable } from "./json-line.ts";
import { type JsonField, jsonLineTables, type MessageTable } from "./json-line-table.ts";
import { viewOf } from "./json-line-text.ts";

// A second implementation, slow and plain: an event is a list of values put on the wire one after the other.

/** A value as it goes on the wire. */
type Put =
  | { readonly kind: "text"; readonly field: JsonField; readonly bytes: Buffer }
  | { readonly kind: "integer"; readonly field: JsonField; readonly value: bigint; readonly padding: number }
  | {
      readonly kind: "entry";
      readonly field: JsonField;
      readonly key: Buffer;
      readonly value: Buffer;
      readonly swapped: boolean;
    }
  | { readonly kind: "part"; readonly field: JsonField; readonly puts: readonly Put[] }
  | { readonly kind: "unknown"; readonly bytes: Buffer };

function varint(value: bigint, padding = 0): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  } while (rest > 0n);
  while (padding > 0 && bytes.length < 10 && padding-- > 0) bytes.push(0x80);
  const last = bytes.pop() ?? 0;
  return Buffer.from([...bytes, last & 0x7f]);
}

const tag = (number: number, type: number) => varint(BigInt(number * 8 + type));
const delimited = (number: number, bytes: Buffer) =>
  Buffer.concat([tag(number, 2), varint(BigInt(bytes.length)), bytes]);

function encode(put: Put): Buffer {
  switch (put.kind) {
    case "text":
      return delimited(put.field.number, put.bytes);
    case "integer":
      return Buffer.concat([tag(put.field.number, 0), varint(put.value, put.padding)]);
    case "entry": {
      const halves = [delimited(1, put.key), delimited(2, put.value)];
      return delimited(put.field.number, Buffer.concat(put.swapped ? halves.toReversed() : halves));
    }
    case "part":
      return delimited(put.field.number, Buffer.concat(put.puts.map(encode)));
    case "unknown":
      return put.bytes;
    default:
      return assert.fail(`no put of kind ${JSON.stringify(put)}`);
  }
}

const decode = (bytes: Buffer) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
const quoted = (bytes: Buffer) => JSON.stringify(decode(bytes)).replace(/[<>&\u2028\u2029]/g, escape);

function expected(table: MessageTable, puts: readonly Put[]): string {
  const members = table.flatMap((field) => {
    const value = expectedValue(
      field,
      puts.filter((put) => put.kind !== "unknown" && put.field === field),
    );
    return value === undefined ? [] : [`"${field.name}":${value}`];
  });
  return `{${members.join(",")}}`;
}

function expectedValue(field: JsonField, puts: readonly Put[]): string | undefined {
  const last = puts.at(-1);
  if (typeof field.type !== "string") {
    const inner = puts.flatMap((put) => (put.kind === "part" ? put.puts : []));
    return last === undefined ? undefined : expected(field.type, inner);
  }
  switch (field.type) {
    case "string":
      return last?.kind === "text" && last.bytes.length > 0 ? quoted(last.bytes) : undefined;
    case "strings":
      return last && `[${puts.map((put) => (put.kind === "text" ? quoted(put.bytes) : "")).join(",")}]`;
    case "string-map": {
      const byKey = new Map(puts.flatMap((put) => (put.kind === "entry" ? [[quoted(put.key), put] as const] : [])));
      const sorted = [...byKey].toSorted(([, a], [, b]) =>
        Buffer.compare(Buffer.from(decode(a.key)), Buffer.from(decode(b.key))),
      );
      return last && `{${sorted.map(([key, put]) => `${key}:${quoted(put.value)}`).join(",")}}`;
    }
    case "int32":
    case "int64": {
      const bits = field.type === "int32" ? 32 : 64;
      const value = BigInt.asIntN(bits, last?.kind === "integer" ? last.value : 0n);
      return value === 0n && !field.printZero ? undefined : value.toString();
    }
    default:
      return assert.fail(`no value of type ${String(field.type)}`);
  }
}

const specialCharacters = Array.from('<>&"\\\b\f\n\r\t\0\u001f\u007f\u2028\u2029\ufeff\uffffé中😀abc/');
const someText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom(...specialCharacters) }),
  fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
);
const someBytes = fc.oneof(
  { weight: 8, arbitrary: someText.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
);
const someInteger = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n + 7n, 2n ** 49n - 1n, 2n ** 49n, 2n ** 53n + 1n),
  fc.bigInt({ min: 0n, max: 2n ** 33n }),
);

function somePuts(table: MessageTable): fc.Arbitrary<Put[]> {
  const unknown = fc
    .record({
      number: fc.integer({ min: 60, max: 2 ** 29 - 1 }),
      bytes: someBytes,
      type: fc.constantFrom(0, 1, 2, 3, 5),
    })
    .map(({ number, bytes, type }): Put => ({ kind: "unknown", bytes: unknownField(number, type, bytes) }));
  const wrongType = fc
    .record({ field: fc.constantFrom(...table), bytes: someBytes, type: fc.constantFrom(1, 3, 5) })
    .map(({ field, bytes, type }): Put => ({ kind: "unknown", bytes: unknownField(field.number, type, bytes) }));
  return fc.array(fc.oneof(...table.map(somePut), unknown, wrongType), { maxLength: 60, size: "max" });
}

function unknownField(number: number, type: number, bytes: Buffer): Buffer {
  const value = [
    varint(BigInt(bytes.length)),
    Buffer.alloc(8, 0x61),
    Buffer.concat([varint(BigInt(bytes.length)), bytes]),
    Buffer.concat([delimited(1, bytes), tag(number, 4)]),
    Buffer.alloc(0),
    Buffer.alloc(4, 0x61),
  ][type];
  return Buffer.concat([tag(number, type), value ?? Buffer.alloc(0)]);
}

function somePut(field: JsonField): fc.Arbitrary<Put> {
  if (typeof field.type !== "string") return somePuts(field.type).map((puts) => ({ kind: "part", field, puts }));
  switch (field.type) {
    case "string":
    case "strings":
      return someBytes.map((bytes) => ({ kind: "text", field, bytes }));
    case "string-map": {
      const aKey = fc.constantFrom("a", "b", "").map((key) => Buffer.from(key));
      const key = fc.oneof(someBytes, aKey);
      return fc.record({
        kind: fc.constant("entry" as const),
        field: fc.constant(field),
        key,
        value: someBytes,
        swapped: fc.boolean(),
      });
    }
    case "int32":
    case "int64":
      return fc.record({
        kind: fc.constant("integer" as const),
        field: fc.constant(field),
        value: someInteger,
        padding: fc.nat(10),
      });
    default:
      return assert.fail(`no value of type ${String(field.type)}`);
  }
}

const printers = new Map(feeds.map(({ id }) => [id, new JsonLine(jsonLineTables[id])]));

/** Prints with exactly the room that is asked for. */
function print(feed: FeedId, event: Buffer): string | undefined {
  const printer = printers.get(feed);
  assert.ok(printer);
  const target = Buffer.alloc(printer.maxBytes(event.length), 0xee);
  const end = printer.write(viewOf(event), 0, event.length, viewOf(target), 0);
  if (end === unreadable)
    assert.ok(
      target.every((byte) => byte === 0xee),
      "nothing is half written",
    );
  return end === unreadable ? undefined : target.toString("utf8", 0, end);
}

for (const { id } of feeds) {
  const table = jsonLineTables[id];

  test(`JsonLine.write() of ${id} agrees with a plain implementation on any sequence of fields`, () => {
    fc.assert(
      fc.property(somePuts(table), (puts) => {
        assert.equal(print(id, Buffer.concat(puts.map(encode))), expected(table, puts));
      }),
      { numRuns: 500 },
    );
  });

  test(`JsonLine.write() of ${id} prints an event cut short as JSON or calls it unreadable`, () => {
    fc.assert(
      fc.property(somePuts(table), fc.double({ min: 0, max: 1, noNaN: true }), (puts, part) => {
        const event = Buffer.concat(puts.map(encode));
        const line = print(id, event.subarray(0, Math.floor(event.length * part)));
        if (line !== undefined) JSON.parse(line);
      }),
      { numRuns: 500 },
    );
  });

  test(`JsonLine.write() of ${id} takes any bytes`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const line = print(id, Buffer.from(bytes));
        if (line !== undefined) JSON.parse(line);
      }),
      { numRuns: 2000 },
    );
  });
}
