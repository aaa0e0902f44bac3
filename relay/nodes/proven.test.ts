import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultNodeOptions } from "./node-options.ts";
import { isConnectionProven, isStreamProven, type Life } from "./proven.ts";

const { reopen } = defaultNodeOptions;
const silent = (livedMs: number): Life => ({ livedMs, hasDelivered: false });
const delivering = (livedMs: number): Life => ({ livedMs, hasDelivered: true });

const streams: Record<string, { life: Life; attempt: number; isProven: boolean }> = {
  "one that ends at once is not, at first": { life: silent(1), attempt: 0, isProven: false },
  "one that ends at once is not, later": { life: silent(1), attempt: 9, isProven: false },
  "one that outlived the first wait is": { life: silent(50), attempt: 0, isProven: true },
  "one that did not outlive its longer wait is not": { life: silent(50), attempt: 1, isProven: false },
  "one that outlived the longest wait is, after any number of attempts": {
    life: silent(reopen.maxMs),
    attempt: 1_000,
    isProven: true,
  },
  "one of 20 s without an event is": { life: silent(20_000), attempt: 10, isProven: true },
  "one that brought events is, however short": { life: delivering(1), attempt: 10, isProven: true },
};
for (const [sentence, { life, attempt, isProven }] of Object.entries(streams)) {
  test(`isStreamProven(): ${sentence}`, () => assert.equal(isStreamProven(life, attempt, reopen), isProven));
}

const connections: Record<string, { life: Life; isProven: boolean }> = {
  "one that never was healthy is not": { life: silent(0), isProven: false },
  "one that was closed at once is not, events or none": { life: delivering(1), isProven: false },
  "one just short of a stable minute is not": { life: silent(59_999), isProven: false },
  "one of a stable minute is": { life: silent(60_000), isProven: true },
  "one that delivered just short of five seconds is not": { life: delivering(4_999), isProven: false },
  "one that delivered for five seconds is": { life: delivering(5_000), isProven: true },
};
for (const [sentence, { life, isProven }] of Object.entries(connections)) {
  test(`isConnectionProven(): ${sentence}`, () => assert.equal(isConnectionProven(life, defaultNodeOptions), isProven));
}
