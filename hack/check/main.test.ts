import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFleet } from "../agents/fleet.ts";
import { markPrefix, markText, nowMicros } from "../agents/mark.ts";

const program = fileURLToPath(new URL("main.ts", import.meta.url));

interface Run {
  readonly code: number;
  readonly report: { readonly problems: readonly string[]; readonly events: number } | undefined;
  readonly errors: string;
}

async function check(flags: readonly string[], input: string, meanwhile?: () => Promise<void>): Promise<Run> {
  const child = spawn(process.execPath, [program, ...flags], { stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.stdin.end(input);
  const closed = once(child, "close") as Promise<[number]>;
  await meanwhile?.();
  const [code] = await closed;
  return { code, report: out === "" ? undefined : (JSON.parse(out) as NonNullable<Run["report"]>), errors };
}

function line(number: number): string {
  return `${JSON.stringify({ EventData: { Sim: markText(markPrefix("agent-0", "abc.1", "logs"), number, nowMicros()) } })}\n`;
}

test("check exits with 0 when all events of an address came", async () => {
  await using fleet = await startFleet({});
  const address = fleet.agent(0).address;
  const { code, report, errors } = await check(
    ["--address", address, "--events", "30", "--expect-agents", "1"],
    "",
    async () => {
      await fleet.untilWatched();
      for (const feed of ["alerts", "logs", "messages"] as const) fleet.produce(feed, 10);
    },
  );
  assert.equal(errors, "");
  assert.deepEqual(report?.problems, []);
  assert.equal(code, 0);
});

test("check --stdin exits with 0 for whole lines and with 1 and the problems for a gap or nonsense", async () => {
  const whole = await check(["--stdin"], line(1) + line(2));
  assert.deepEqual([whole.code, whole.report?.events], [0, 2]);
  const gap = await check(["--stdin"], `${line(1)}${line(3)}oops\n`);
  assert.deepEqual([gap.code, gap.report?.problems.length], [1, 2]);
});

test("check exits with 2 and says why when flags make no sense", async () => {
  const { code, errors } = await check([], "");
  assert.equal(code, 2);
  assert.match(errors, /give either --address or --stdin/);
  assert.match((await check(["--address", "x", "--feeds", "files"], "")).errors, /Cannot use feed "files"/);
});
