import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultRows, parseRow, type Row, rowName } from "./rows.ts";

describe("parseRow()", () => {
  const cases: Readonly<Record<string, readonly [text: string, row: Row]>> = {
    "reads thousands": ["50>10@20k", { agents: 50, subscribers: 10, rate: 20_000 }],
    "reads a plain rate": ["1>1@500", { agents: 1, subscribers: 1, rate: 500 }],
    "reads a fraction": ["100>5@2.5k", { agents: 100, subscribers: 5, rate: 2_500 }],
    "reads the absence of a limit": ["10>1@max", { agents: 10, subscribers: 1, rate: "max" }],
    "reads a burst": [
      "1>1@100k*5000",
      { agents: 1, subscribers: 1, rate: 100_000, twist: { kind: "burst", events: 5000 } },
    ],
    "reads an outage": [
      "1>1@1k~500ms",
      { agents: 1, subscribers: 1, rate: 1000, twist: { kind: "outage", downMs: 500 } },
    ],
    "reads an overload": ["500>50@10k!", { agents: 500, subscribers: 50, rate: 10_000, twist: { kind: "overload" } }],
    "reads stdout": ["10>stdout@max", { agents: 10, subscribers: 0, rate: "max" }],
    "reads the arrow that rows are printed with": ["1→10@5k", { agents: 1, subscribers: 10, rate: 5_000 }],
  };
  for (const [name, [text, row]] of Object.entries(cases)) {
    it(name, () => assert.deepEqual(parseRow(text), row));
  }

  for (const text of [
    "",
    "50",
    "50>10",
    "50>10@",
    "0>1@5k",
    "1>0@5k",
    "1>1@0",
    "1>1@fast",
    "1>1@max*5",
    "1>1@5k*",
    "1>1@5k!",
    "1>1@max~5ms",
    "1>1@5k~5",
    "1>stdout@5k*5",
    "1>stdin@5k",
    "60001>1@1",
  ]) {
    it(`refuses '${text}'`, () => assert.throws(() => parseRow(text), RangeError));
  }
});

describe("rowName()", () => {
  it("is read back as the same row", () => {
    for (const row of [...defaultRows, parseRow("3>2@max"), parseRow("3>2@1234"), parseRow("3>2@1k*7")]) {
      assert.deepEqual(parseRow(rowName(row).replace(" ", "")), row, rowName(row));
    }
  });
});
