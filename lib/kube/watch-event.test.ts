import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "./errors.ts";
import { MalformedEventError, parseWatchEvent } from "./watch-event.ts";

const context = { verb: "watch", resource: "pods" };
const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "b", resourceVersion: "7" } };
const parse = (event: unknown) => parseWatchEvent(JSON.stringify(event), "Pod", context);

test("parseWatchEvent() reads the three kinds of changes", () => {
  for (const [type, kind] of Object.entries({ ADDED: "added", MODIFIED: "modified", DELETED: "deleted" })) {
    assert.deepEqual(parse({ type, object: pod }), { kind, object: pod, resourceVersion: "7" });
  }
});

test("parseWatchEvent() reads a bookmark, which has no name", () => {
  const object = { apiVersion: "v1", kind: "Pod", metadata: { resourceVersion: "9" } };
  assert.deepEqual(parse({ type: "BOOKMARK", object }), { kind: "bookmark", resourceVersion: "9" });
});

test("parseWatchEvent() makes an ApiError of an error in the stream", () => {
  const event = parse({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "too old" } });
  assert.ok(event.kind === "error" && event.error instanceof ApiError);
  assert.equal(event.error.code, 410);
});

const malformed: Readonly<Record<string, string>> = {
  "no JSON": "{",
  "no object": '{"type":"ADDED"}',
  "no type": '{"object":{}}',
  null: "null",
  "an unknown type": JSON.stringify({ type: "toString", object: pod }),
  "another kind": JSON.stringify({ type: "ADDED", object: { ...pod, kind: "Node" } }),
  "no resourceVersion": JSON.stringify({ type: "ADDED", object: { ...pod, metadata: { name: "a" } } }),
  "no name": JSON.stringify({ type: "ADDED", object: { ...pod, metadata: { resourceVersion: "1" } } }),
};

for (const [sentence, text] of Object.entries(malformed)) {
  test(`parseWatchEvent() refuses ${sentence}`, () => {
    assert.throws(() => parseWatchEvent(text, "Pod", context), MalformedEventError);
  });
}
