import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckReport } from "../check/checker.ts";
import { startChecker } from "../check/checker.ts";
import type { Agent } from "./agent.ts";
import { parseFaults } from "./fault-script.ts";
import { applyFault } from "./faults.ts";
import { startFleet } from "./fleet.ts";

interface Scenario {
  readonly script: string;
  /** What the subscriber sees of it. */
  readonly ended: readonly string[];
  readonly garbage: number;
}

const scenarios: Record<string, Scenario> = {
  "a reset ends every stream": { script: "0s reset", ended: ["UNAVAILABLE", "UNAVAILABLE"], garbage: 0 },
  "a failed stream ends alone": { script: "0s stream-error feed=logs", ended: ["INTERNAL"], garbage: 0 },
  "its status can be chosen": { script: "0s stream-error feed=logs code=OK", ended: ["OK"], garbage: 0 },
  "a broken message is garbage": { script: "0s garbage form=protobuf feed=logs", ended: [], garbage: 1 },
  "no HTTP/2 ends every stream": { script: "0s garbage form=http2", ended: ["INTERNAL", "INTERNAL"], garbage: 0 },
  "a restart ends every stream": { script: "0s restart down=0s", ended: ["UNAVAILABLE", "UNAVAILABLE"], garbage: 0 },
  "so does a replacement": { script: "0s replace down=0s", ended: ["UNAVAILABLE", "UNAVAILABLE"], garbage: 0 },
  // A client that is cut before it has read the GOAWAY calls it INTERNAL.
  "GOAWAY and a cut": { script: "0s goaway cut=300ms", ended: ["UNAVAILABLE", "UNAVAILABLE"], garbage: 0 },
  "GOAWAY alone ends nothing": { script: "0s goaway", ended: [], garbage: 0 },
  "slow health checks end nothing": { script: "0s slow-health by=1ms", ended: [], garbage: 0 },
  "a hang ends nothing while it lasts": { script: "0s hang; 1s resume", ended: [], garbage: 0 },
};

async function play(agent: Agent, script: string): Promise<void> {
  for (const { fault } of parseFaults(script)) await applyFault(agent, fault);
}

async function seen(scenario: Scenario): Promise<CheckReport> {
  await using fleet = await startFleet({});
  const agent = fleet.agent(0);
  await using checker = await startChecker(agent.address, { feeds: ["alerts", "logs"] });
  await fleet.untilWatched(["alerts", "logs"]);
  await play(agent, scenario.script);
  await checker.untilEnded(scenario.ended.length);
  await checker.untilGarbage(scenario.garbage);
  const open = 2 - scenario.ended.length;
  // Who still listens hears what comes next.
  fleet.produce("alerts", 2);
  if (open > 0) await checker.untilEvents(2);
  return checker.report();
}

for (const [sentence, scenario] of Object.entries(scenarios)) {
  test(`applyFault(): ${sentence}`, async () => {
    const { ended, garbage } = await seen(scenario);
    assert.deepEqual(
      ended.map(({ code }) => code),
      scenario.ended,
    );
    assert.equal(garbage, scenario.garbage);
  });
}
