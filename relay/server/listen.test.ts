import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { type Log, silentLog } from "../../lib/process/log.ts";
import { listen } from "./listen.ts";

test("listen() logs what fails later, each time, and leaves the server open", async (t) => {
  const warnings: unknown[] = [];
  const log: Log = { ...silentLog, warn: (_message, fields) => warnings.push(fields?.["error"]) };
  const server = createServer();
  t.after(() => server.close());
  const port = await listen(server, 0, log);
  assert.ok(port > 0);
  assert.equal(server.listenerCount("error"), 1);
  for (const text of ["accept EMFILE", "accept ENFILE"]) server.emit("error", new Error(text));
  assert.match(String(warnings[0]), /EMFILE/);
  assert.match(String(warnings[1]), /ENFILE/);
  assert.ok(server.listening);
});
