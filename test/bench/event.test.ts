import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fixtureWire, numberedEvent } from "./event.ts";

const id = "0123456789abcdef".repeat(4);
// Field 1, varint 300; field 6, "pod"; field 7, the container id; field 8, "c".
const wire = Buffer.concat([
  Buffer.from([0x08, 0xac, 0x02, 0x32, 3]),
  Buffer.from("pod"),
  Buffer.from([0x3a, 64]),
  Buffer.from(id),
  Buffer.from([0x42, 1, 0x63]),
]);

describe("numberedEvent()", () => {
  it("finds the container id behind fields of other kinds", () => {
    const { at } = numberedEvent(wire);
    assert.equal(wire.toString("latin1", at, at + 64), id);
  });

  const refused: Readonly<Record<string, Buffer>> = {
    "refuses an event without a container id": wire.subarray(0, 8),
    "refuses a shorter container id": Buffer.from([0x3a, 2, 0x61, 0x62]),
    "refuses an event that ends within a varint": Buffer.from([0x08, 0xac]),
  };
  for (const [name, event] of Object.entries(refused)) it(name, () => assert.throws(() => numberedEvent(event), Error));
});

describe("fixtureWire()", () => {
  const lines = `${JSON.stringify({ name: "a", wire: "YQ==" })}\n${JSON.stringify({ name: "b", wire: "Yg==" })}\n`;

  it("takes the event of that name", () => assert.equal(fixtureWire(lines, "b").toString(), "b"));
  it("refuses a name that is not there", () => assert.throws(() => fixtureWire(lines, "c"), /'c'/u));
});
