import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { textHash } from "./text-hash.ts";

describe("textHash()", () => {
  // The expected values are those of coreutils' sha256sum.
  const cases: Record<string, { text: string; hash: string }> = {
    "of no text": { text: "", hash: "e3b0c44298fc1c14" },
    "of ASCII": { text: "abc", hash: "ba7816bf8f01cfea" },
    "of UTF-8": { text: "ü\n", hash: "599c7c0c70071ddf" },
  };
  for (const [sentence, { text, hash }] of Object.entries(cases)) {
    it(`gives the first 16 hex digits of the SHA-256 ${sentence}`, () => assert.equal(textHash(text), hash));
  }
});
