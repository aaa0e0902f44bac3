import assert from "node:assert/strict";
import { test } from "node:test";
import { type LabelSelector, unmet } from "./adoption-selector.ts";

const labels = { app: "relay", tier: "" };
const expression = (key: string, operator: string, values: readonly string[] = []): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
});

const cases: Readonly<Record<string, readonly [LabelSelector, readonly string[]]>> = {
  "nothing is asked for": [{}, []],
  "labels are there": [{ matchLabels: { app: "relay", tier: "" } }, []],
  "labels differ or are missing": [{ matchLabels: { app: "x", b: "c" } }, ["app=x", "b=c"]],
  "in, and it is": [expression("app", "In", ["a", "relay"]), []],
  "in, and it is missing": [expression("b", "In", ["c"]), ["b in (c)"]],
  "notin, and it is missing": [expression("b", "NotIn", ["c"]), []],
  "notin, and it is": [expression("app", "NotIn", ["relay"]), ["app notin (relay)"]],
  "exists, and it is empty": [expression("tier", "Exists"), []],
  "exists, and it does not": [expression("b", "Exists"), ["b"]],
  "does not exist, and it does": [expression("tier", "DoesNotExist"), ["!tier"]],
  "does not exist": [expression("b", "DoesNotExist"), []],
  "an operator of a newer API": [expression("app", "Gt", ["1"]), ["app gt (1)"]],
};

for (const [sentence, [selector, missing]] of Object.entries(cases)) {
  test(`unmet(): ${sentence}`, () => {
    assert.deepEqual(unmet(selector, labels), missing);
  });
}
