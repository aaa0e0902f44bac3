import assert from "node:assert/strict";
import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startChecker } from "../check/checker.ts";
import { findProblems } from "../check/verdict.ts";
import type { AgentCounts } from "./agent.ts";
import { parseFlags } from "./flags.ts";
import { agentFlags, agentsConfig } from "./options.ts";

const program = fileURLToPath(new URL("main.ts", import.meta.url));

type Child = ChildProcessByStdio<null, Readable, null>;

interface Line {
  readonly kind: string;
  readonly agents: readonly (AgentCounts & { readonly agent: string; readonly address: string })[];
}

async function* lines(child: Child): AsyncGenerator<Line, undefined> {
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as Line;
}

test("agents say where they listen, and at SIGTERM what they sent: all of it came", async () => {
  const flags = ["--count", "2", "--port", "0", "--alerts-rate", "200", "--limit", "50", "--when-watched"];
  const child: Child = spawn(process.execPath, [program, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const output = lines(child);
  const ready = (await output.next()).value;
  assert.equal(ready?.kind, "ready");
  assert.deepEqual(
    ready.agents.map(({ agent }) => agent),
    ["agent-0", "agent-1"],
  );
  await using checker = await startChecker(ready.agents[0]?.address ?? "", { feeds: ["alerts"] });
  await checker.untilEvents(50);
  const report = checker.report();
  child.kill("SIGTERM");
  const last = (await output.next()).value;
  assert.equal(last?.kind, "report");
  const agents = last.agents.slice(0, 1);
  assert.equal(agents[0]?.lives[0]?.feeds.alerts.sent, 50);
  assert.deepEqual(findProblems(report, { agents, minAgents: 1, minEvents: 50 }), []);
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0);
});

const mistakes: Record<string, readonly [readonly string[], RegExp]> = {
  "several agents on one port": [["--count", "2"], /on one address and port 32767: give --first-address or --port 0/],
  "several health servers on one port": [["--count", "2", "--port", "0", "--health-port", "9"], /port 9/],
  "a rate that is none": [["--alerts-rate", "many"], /--alerts-rate: current value is "many"/],
  "half an agent": [["--count", "1.5"], /--count: current value is 1.5, must be a whole number/],
  "a fault of an agent that is not there": [["--faults", "1s reset agent=1"], /Cannot reset agent 1: there are 1/],
  "an unknown flag": [["--speed", "1"], /Unknown option '--speed'/],
};

for (const [sentence, [args, message]] of Object.entries(mistakes)) {
  test(`agentsConfig() refuses ${sentence}`, () => {
    assert.throws(() => agentsConfig(parseFlags(agentFlags, args)), { message });
  });
}

test("agentsConfig() is one agent with the ports of KubeArmor by default", () => {
  const { fleet, faults } = agentsConfig(parseFlags(agentFlags, []));
  assert.partialDeepStrictEqual(fleet, { count: 1, port: 32767, healthPort: 32766, rates: { messages: 0 } });
  assert.deepEqual(faults, []);
});
