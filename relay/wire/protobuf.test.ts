import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FieldCursor, readInt32, readInt64 } from "./protobuf.ts";

/** The fields of a message as text, and "malformed" where the walk stops for that. */
function walk(hex: string): string[] {
  const message = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const cursor = new FieldCursor();
  // Amid other bytes: a walk must not read on beyond its message.
  cursor.reset(Buffer.concat([Buffer.from([0x80]), message, Buffer.from([0x01, 0x01])]), 1, 1 + message.length);
  const fields: string[] = [];
  while (cursor.next()) fields.push(`${cursor.number}:${cursor.type} ${cursor.end - cursor.start}`);
  return cursor.malformed ? [...fields, "malformed"] : fields;
}

const walks: Readonly<Record<string, [hex: string, fields: string[]]>> = {
  "an empty message has no fields": ["", []],
  "a field of each wire type": [
    "0801 110000000000000000 1a026162 23 2801 24 350000 0000",
    ["1:0 1", "2:1 8", "3:2 2", "4:3 3", "6:5 4"],
  ],
  "padded tags, lengths and values": ["8a8000 828000 6162 0885808080808080808000", ["1:2 2", "1:0 10"]],
  "the largest field number": ["f8ffffff0f 01", ["536870911:0 1"]],
  "a field number above it": ["8080808010 01", ["malformed"]],
  "a field number above it inside a group, which Go takes": ["0b 8080808010 01 0c", ["1:3 7"]],
  "field number 0": ["0001", ["malformed"]],
  "an 11-byte varint": ["08 8080808080808080808001", ["malformed"]],
  "a varint over 64 bits": ["08 ffffffffffffffffff02", ["malformed"]],
  "a value cut short after a good field": ["0801 1a0361", ["1:0 1", "malformed"]],
  "an end of a group alone": ["0c", ["malformed"]],
  "a group ended by another number": ["0b 14", ["malformed"]],
  "groups in groups": ["0b 13 0b 0c 14 0c", ["1:3 5"]],
  "10,001 groups in each other, as deep as Go goes": [`${"0b".repeat(10_001)}${"0c".repeat(10_001)}`, ["1:3 20001"]],
  "10,002 groups in each other": [`${"0b".repeat(10_002)}${"0c".repeat(10_002)}`, ["malformed"]],
  "a reserved wire type": ["0e", ["malformed"]],
};

for (const [sentence, [hex, fields]] of Object.entries(walks)) {
  test(`FieldCursor walks: ${sentence}`, () => assert.deepEqual(walk(hex), fields));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

test("readInt32() and readInt64() read any 64 bits", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.integer({ min: 0, max: 63 }),
      (big, shift) => {
        const value = big >> BigInt(shift);
        const bytes = varint(value);
        assert.equal(BigInt(readInt64(bytes, 0, bytes.length)), value);
        assert.equal(readInt32(bytes, 0), Number(BigInt.asIntN(32, value)));
      },
    ),
  );
});
