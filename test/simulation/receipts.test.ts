import assert from "node:assert/strict";
import { test } from "node:test";
import { EventBook } from "./event-book.ts";
import { Judge, type Rule } from "./judge.ts";
import { Receipts } from "./receipts.ts";

/** Three events that reached the relay and a fourth that did not, and a client that came after the first. */
function fixture() {
  const judge = new Judge(() => 0);
  const book = new EventBook(judge);
  const source = book.newSource("agent", "alerts");
  const events = [8, 300, 20, 8].map((bytes) => book.newEvent(source, bytes, "plain"));
  for (const event of events.slice(0, 3)) book.arrive(event, 0);
  const receipts = new Receipts(book, judge, "alerts", "client");
  receipts.begin(1);
  const take = (...indices: readonly number[]) => {
    receipts.take(Buffer.concat(indices.map((index) => events[index]?.frame ?? assert.fail())));
    return judge.violation?.rule;
  };
  return { receipts, take, frame: (index: number) => Buffer.from(events[index]?.frame ?? assert.fail()), judge };
}

const runs: Record<string, { indices: readonly number[]; rule: Rule | undefined }> = {
  "all that came since": { indices: [1, 2], rule: undefined },
  "some of it": { indices: [2], rule: undefined },
  "an event twice": { indices: [1, 1], rule: "duplicate" },
  "an older event after a newer one": { indices: [2, 1], rule: "order" },
  "an event from before its time": { indices: [0], rule: "order" },
  "an event that has not reached the relay": { indices: [3], rule: "bytes" },
};
for (const [sentence, { indices, rule }] of Object.entries(runs)) {
  test(`Receipts.take() judges ${sentence}`, () => {
    assert.equal(fixture().take(...indices), rule);
  });
}

test("Receipts.take() judges bytes that are not the agent's", () => {
  const { receipts, frame, judge } = fixture();
  const changed = frame(1);
  changed[changed.length - 1] = 0;
  receipts.take(changed);
  assert.equal(judge.violation?.rule, "bytes");
});
