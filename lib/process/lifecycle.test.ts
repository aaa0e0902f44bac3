import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

const lifecycle = new URL("lifecycle.ts", import.meta.url).href;
const log = new URL("log.ts", import.meta.url).href;

/** A program whose main is `body`, with something open that would keep the process alive for ever. */
function start(body: string): ChildProcess {
  const program = `
    import { runProgram } from ${JSON.stringify(lifecycle)};
    import { createLog } from ${JSON.stringify(log)};
    await runProgram(createLog("info"), async (signal) => {
      const open = setInterval(() => {}, 1000);
      ${body}
    });`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
}

async function endOf(child: ChildProcess): Promise<{ readonly status: unknown; readonly messages: readonly string[] }> {
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [status] = (await once(child, "close")) as unknown[];
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  return { status, messages: lines.map((line) => (JSON.parse(line) as { message: string }).message) };
}

const untilAborted = `await new Promise((resolve) => signal.addEventListener("abort", resolve)); clearInterval(open);`;

test("runProgram() ends with status 1 when main fails, whatever it left open", { timeout: 30_000 }, async () => {
  const { status, messages } = await endOf(start(`throw new Error("port taken");`));
  assert.equal(status, 1);
  assert.deepEqual(messages, ["The program failed"]);
});

test("runProgram() ends with status 1 when an error is caught by nobody", { timeout: 30_000 }, async () => {
  const { status, messages } = await endOf(start(`setImmediate(() => { throw new Error("lost"); }); ${untilAborted}`));
  assert.equal(status, 1);
  assert.deepEqual(messages, ["Unexpected error: ending"]);
});

test("runProgram() ends with status 0 once main has drained after a signal", { timeout: 30_000 }, async () => {
  const child = start(`console.log("up"); ${untilAborted}`);
  const end = endOf(child);
  if (child.stdout !== null) await once(child.stdout, "data");
  child.kill("SIGTERM");
  assert.deepEqual(await end, { status: 0, messages: ["Signal received: draining"] });
});

test("runProgram() ends with status 0 though nobody reads what it logs", { timeout: 30_000 }, async () => {
  const child = start(
    `const log = createLog("info");
    for (let line = 0; line < 2_000; line++) log.info("x".repeat(200));
    console.log("up"); ${untilAborted}`,
  );
  if (child.stdout !== null) await once(child.stdout, "data");
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [0, null]);
  child.stderr?.destroy();
});

test("runProgram() ends at once with status 1 at a second signal", { timeout: 30_000 }, async () => {
  const child = start(
    `console.log("up"); signal.addEventListener("abort", () => console.log("aborted")); await new Promise(() => {});`,
  );
  const end = endOf(child);
  if (child.stdout !== null) await once(child.stdout, "data");
  child.kill("SIGTERM");
  if (child.stdout !== null) await once(child.stdout, "data");
  child.kill("SIGINT");
  assert.deepEqual(await end, {
    status: 1,
    messages: ["Signal received: draining", "Second signal: ending without draining"],
  });
});
