import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTimeout } from "./timeout.ts";

const cases: Record<string, [string, number | undefined]> = {
  hours: ["2H", 7_200_000],
  minutes: ["3M", 180_000],
  seconds: ["10S", 10_000],
  milliseconds: ["250m", 250],
  microseconds: ["1500u", 1.5],
  nanoseconds: ["2000000n", 2],
  zero: ["0S", 0],
  "eight digits": ["99999999H", 99_999_999 * 3_600_000],
  "nine digits are malformed": ["999999999S", undefined],
  "no unit is malformed": ["10", undefined],
  "no digits are malformed": ["S", undefined],
  "nothing is malformed": ["", undefined],
  "an unknown unit is malformed": ["10x", undefined],
  "a sign is malformed": ["-1S", undefined],
  "a fraction is malformed": ["1.5S", undefined],
  "space is malformed": ["1 S", undefined],
  "a line end is malformed": ["1S\n", undefined],
};

for (const [criterion, [text, timeoutMs]] of Object.entries(cases)) {
  test(`parseTimeout(): ${criterion}`, () => assert.equal(parseTimeout(text), timeoutMs));
}
