import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../agents/random.ts";
import { markPrefix, markText, nowMicros } from "../agents/mark.ts";
import { Tally } from "./tally.ts";
import { findProblems } from "./verdict.ts";

function events(count: number): Buffer[] {
  const prefix = markPrefix("agent-0", "abc.1", "alerts");
  return Array.from({ length: count }, (_, index) => Buffer.from(markText(prefix, index + 1, nowMicros())));
}

function tallied(stream: readonly (Buffer | string)[]): ReturnType<Tally["report"]> {
  const tally = new Tally();
  for (const event of stream) tally.add(event, "alerts");
  return tally.report();
}

test("Tally finds what was seeded into a stream: loss, duplicates, disorder", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = seededRandom(seed);
      const stream: Buffer[] = [];
      const seeded = { lost: 0, duplicates: 0, reordered: 0 };
      const whole = events(200);
      // The first and the last stay: a tally cannot know of what comes before and after.
      for (let index = 0; index < whole.length; index += 1) {
        const event = whole[index];
        const next = whole[index + 1];
        assert.ok(event !== undefined);
        const fate = index === 0 || next === undefined || index + 2 === whole.length ? 1 : random();
        if (fate < 0.05) seeded.lost += 1;
        else if (fate < 0.1) {
          stream.push(event, event);
          seeded.duplicates += 1;
        } else if (fate < 0.15 && next !== undefined) {
          stream.push(next, event);
          seeded.reordered += 1;
          index += 1;
        } else stream.push(event);
      }
      const { lost, duplicates, reordered, garbage } = tallied(stream);
      assert.deepEqual({ lost, duplicates, reordered, garbage }, { ...seeded, garbage: 0 });
    }),
  );
});

test("Tally keeps agents, epochs and feeds apart", () => {
  const tally = new Tally();
  for (const agent of ["a", "b"]) {
    for (const epoch of ["1", "2"]) {
      for (const feed of ["alerts", "logs"] as const) {
        for (const number of [1, 2])
          tally.add(markText(markPrefix(agent, epoch, feed), number, nowMicros()), undefined);
      }
    }
  }
  const { sequences, agents, lost, duplicates, byFeed } = tally.report();
  assert.equal(sequences.length, 8);
  assert.deepEqual(
    { agents, lost, duplicates, byFeed },
    { agents: 2, lost: 0, duplicates: 0, byFeed: { alerts: 8, logs: 8, messages: 0 } },
  );
});

test("Tally calls events without a mark, and those of another feed, garbage", () => {
  const logs = markText(markPrefix("agent-0", "abc.1", "logs"), 1, nowMicros());
  const { garbage, events: marked } = tallied([Buffer.from("nonsense"), logs]);
  assert.deepEqual({ garbage, marked }, { garbage: 2, marked: 0 });
});

test("Tally measures latency from the time in the mark", () => {
  const prefix = markPrefix("agent-0", "abc.1", "alerts");
  const { latencyUs } = tallied([
    markText(prefix, 1, nowMicros() - 5_000_000),
    markText(prefix, 2, nowMicros() - 5_000_000),
  ]);
  assert.ok(latencyUs.p50 >= 4_900_000 && latencyUs.max >= latencyUs.p50, JSON.stringify(latencyUs));
  assert.equal(tallied([]).latencyUs.max, 0);
});

const good = tallied(events(5));
const gap = tallied(events(5).filter((_, index) => index !== 2));

test("findProblems() finds none in a report that is as expected", () => {
  assert.deepEqual(findProblems(good, { minEvents: 5, minAgents: 1 }), []);
  assert.deepEqual(findProblems(gap, { allowLoss: 1 }), []);
});

const ended = [{ feed: "alerts" as const, code: "INTERNAL", details: "broken" }];
const none = { unwatched: 0, sent: 0, dropped: 0, abandoned: 0, produced: 0, subscribers: [] };
const agents = [
  {
    address: "",
    connections: 1,
    clientPings: 0,
    lives: [
      {
        agent: "agent-0",
        epoch: "abc.1",
        feeds: { alerts: { ...none, sent: 7 }, logs: { ...none, sent: 2 }, messages: none },
      },
    ],
  },
];

const problems: Record<string, readonly [ReturnType<typeof findProblems>, string]> = {
  "too few events": [findProblems(good, { minEvents: 6 }), "5 events came, must be 6 or more"],
  "too few agents": [findProblems(good, { minAgents: 2 }), "1 agents were heard of, must be 2 or more"],
  loss: [findProblems(gap, {}), "1 events were lost, must be 0 or fewer"],
  duplicates: [findProblems(tallied([...events(2), ...events(1)]), {}), "1 events came more than once"],
  disorder: [findProblems(tallied(events(3).toReversed()), {}), "2 events came out of order"],
  garbage: [findProblems(tallied(["?"]), {}), "1 events were garbage"],
  "an end": [findProblems({ ...good, ended }, {}), "the stream of alerts ended with INTERNAL: broken"],
  "events before the first and after the last": [
    findProblems(good, { agents }),
    "4 events that agents sent did not come, must be 0 or fewer",
  ],
};

for (const [sentence, [found, wanted]] of Object.entries(problems)) {
  test(`findProblems() names ${sentence}`, () => assert.deepEqual(found, [wanted]));
}

test("findProblems() forgives an end that was to be expected", () => {
  assert.deepEqual(findProblems({ ...good, ended }, { allowEnds: true }), []);
});
