import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "./errors.ts";
import { parseRetryAfter, retryWaitMs } from "./retry.ts";

const refusal = (code: number, retryAfterMs?: number) =>
  new ApiError(code, {}, { verb: "get", resource: "pods" }, retryAfterMs);
const never = () => 0;

const cases: Readonly<Record<string, readonly [number | undefined, number | undefined]>> = {
  "429 with Retry-After is sent again after it": [retryWaitMs(refusal(429, 1000), 0, true, never), 1000],
  "503 with Retry-After is sent again after it": [retryWaitMs(refusal(503, 2000), 2, true, never), 2000],
  "a fifth is added at most": [retryWaitMs(refusal(429, 1000), 0, true, () => 1), 1200],
  "429 without Retry-After is the caller's": [retryWaitMs(refusal(429), 0, true, never), undefined],
  "500 is the caller's": [retryWaitMs(refusal(500, 1000), 0, true, never), undefined],
  "a fourth retry is not made": [retryWaitMs(refusal(429, 1000), 3, true, never), undefined],
  "a long wait is the caller's": [retryWaitMs(refusal(429, 10_001), 0, true, never), undefined],
  "what may not be done twice is not sent again": [retryWaitMs(refusal(429, 1000), 0, false, never), undefined],
  "a broken connection is the caller's": [retryWaitMs(new Error("reset"), 0, true, never), undefined],
};

for (const [sentence, [actual, expected]] of Object.entries(cases)) {
  test(`retryWaitMs(): ${sentence}`, () => assert.equal(actual, expected));
}

test("parseRetryAfter() reads seconds and dates", () => {
  assert.equal(parseRetryAfter("7", 0), 7000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:30 GMT", 10_000), 20_000);
  assert.equal(parseRetryAfter("Thu, 01 Jan 1970 00:00:30 GMT", 40_000), 0);
  assert.equal(parseRetryAfter("soon", 0), undefined);
  assert.equal(parseRetryAfter(undefined, 0), undefined);
});
