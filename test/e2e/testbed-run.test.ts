import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../hack/testbed/command.ts";
import { skipWithoutNode } from "./testbed-support.ts";

const MAIN = join(import.meta.dirname, "..", "..", "hack", "run", "main.ts");

const skip = await skipWithoutNode();

test("make run shows a relay become Ready and events of agents, and leaves nothing", { skip }, async () => {
  const output = await run(process.execPath, [MAIN, "--once", "--agents=12", "--rate=0.5"]);
  assert.match(output, /^ {4}Ready=True /m);
  const events = output.split("\n").filter((line) => /^ {4}\{.*"HostName":"fake-\d+"/.test(line));
  assert.ok(events.length >= 5, output);
  const dir = /real node on this machine \((.*)\) \(/.exec(output)?.[1];
  assert.ok(dir !== undefined && !existsSync(dir), output);
});
