import assert from "node:assert/strict";
import { test } from "node:test";
import { readFilter } from "./request-filter.ts";

const cases: Record<string, { wire: string; filter: string | undefined }> = {
  "an empty message has the empty filter": { wire: "", filter: "" },
  "the filter is field 1": { wire: "0a03616c6c", filter: "all" },
  "the last value wins": { wire: "0a03616c6c0a06706f6c696379", filter: "policy" },
  "unknown fields are passed over": { wire: "10010a03616c6c1a0178", filter: "all" },
  "a filter of another wire type is an unknown field": { wire: "0801", filter: "" },
  "a length beyond the end is no message": { wire: "0a05616c6c", filter: undefined },
  "field number 0 is no message": { wire: "0000", filter: undefined },
};
for (const [sentence, { wire, filter }] of Object.entries(cases)) {
  test(`readFilter(): ${sentence}`, () => {
    assert.equal(readFilter(Buffer.from(wire, "hex")), filter);
  });
}
