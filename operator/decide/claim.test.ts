import assert from "node:assert/strict";
import { test } from "node:test";
import type { Relay } from "../api/relay.ts";
import { relayOf } from "../testing/samples.ts";
import { olderClaimant } from "./claim.ts";

function relay(uid: string, second: number, rest = {}): Relay {
  const creationTimestamp = `2026-01-01T00:00:0${second}Z`;
  return relayOf({}, { metadata: { namespace: "a", name: uid, uid, creationTimestamp, ...rest } });
}

const self = relay("m", 5);

const cases: Readonly<Record<string, readonly [wanting: readonly Relay[], by: string | undefined]>> = {
  "nobody else wants it": [[self], undefined],
  "a younger one wants it too": [[relay("a", 6), self], undefined],
  "an older one wants it": [[self, relay("z", 4)], "z"],
  "of several the oldest has it": [[relay("a", 4), self, relay("z", 3)], "z"],
  "made in the same second, the UID decides": [[relay("a", 5), self], "a"],
  "made in the same second, and the UID is for this one": [[relay("z", 5), self], undefined],
  "an older one that is being deleted wants nothing any more": [
    [relay("a", 4, { deletionTimestamp: "now" })],
    undefined,
  ],
};

for (const [sentence, [wanting, by]] of Object.entries(cases)) {
  test(`olderClaimant(): ${sentence}`, () => {
    assert.equal(olderClaimant(self, wanting)?.metadata.uid, by);
  });
}
