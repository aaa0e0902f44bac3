import assert from "node:assert/strict";
import { test } from "node:test";
import { agentPingPolicy, PingPolice } from "./ping-police.ts";

const minutes = 60_000;

const cases: Record<
  string,
  { readonly events: readonly (number | "answer")[]; readonly punished: readonly boolean[] }
> = {
  "the fourth of pings in quick succession is one too many: the first has none before it": {
    events: [0, 1000, 2000, 3000],
    punished: [false, false, false, true],
  },
  "pings five minutes apart are never too many": {
    events: [0, 5 * minutes, 10 * minutes, 15 * minutes, 20 * minutes],
    punished: [false, false, false, false, false],
  },
  "an answer in between forgives": {
    events: [0, 1000, 2000, "answer", 3000, 4000, 5000],
    punished: [false, false, false, false, false, false],
  },
};

for (const [sentence, { events, punished }] of Object.entries(cases)) {
  test(`PingPolice: ${sentence}`, () => {
    const police = new PingPolice(agentPingPolicy);
    const verdicts: boolean[] = [];
    for (const event of events) {
      if (event === "answer") police.answered();
      else verdicts.push(police.ping(event));
    }
    assert.deepEqual(verdicts, punished);
  });
}
