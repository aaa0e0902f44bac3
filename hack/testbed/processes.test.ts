import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { identify, isAlive } from "./processes.ts";

test("identify() tells this process from one that had its id before", () => {
  const self = identify(process.pid);
  assert.ok(self !== undefined && isAlive(self));
  assert.ok(!isAlive({ ...self, started: "another boot" }));
});

test("isAlive() is false for a process that ended", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const identity = identify(child.pid ?? 0);
  assert.ok(identity !== undefined && isAlive(identity));
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(!isAlive(identity));
});
