import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { type ConsumerCounts, noDrops, sumOf } from "../hub/counts.ts";
import { fakeBatch } from "../hub/fake-batch.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { FdWriter } from "./fd-writer.ts";
import { StdoutSink } from "./stdout.ts";
import type { ToChild } from "./stdout-pipe.child.ts";

/** A pipe whose two ends are in our hands, as a container runtime has it. */
function makePipe() {
  const folder = mkdtempSync(join(tmpdir(), "stdout-pipe-"));
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  rmSync(folder, { recursive: true });
  return { readEnd, writeEnd };
}

interface Child {
  readonly process: ReturnType<typeof spawn>;
  /** Reads nothing before it is asked to. */
  readonly output: Readable;
}

const childFile = new URL("stdout-pipe.child.ts", import.meta.url).pathname;

const kinds: Readonly<Record<string, () => Child>> = {
  pipe: () => {
    const { readEnd, writeEnd } = makePipe();
    const child = spawn(process.execPath, [childFile], { stdio: ["ignore", writeEnd, "inherit", "ipc"] });
    closeSync(writeEnd);
    return { process: child, output: new Socket({ fd: readEnd, readable: true, writable: false }) };
  },
  socket: () => {
    const child = spawn(process.execPath, [childFile], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    assert.ok(child.stdout);
    return { process: child, output: child.stdout };
  },
};

async function ask(child: Child, message: ToChild): Promise<ConsumerCounts> {
  child.process.send(message);
  const [counts] = (await once(child.process, "message")) as [ConsumerCounts];
  return counts;
}

/** The numbers of the events that were printed, until the pipe is at its end. */
async function readNumbers(output: Readable): Promise<number[]> {
  const numbers: number[] = [];
  for await (const line of createInterface({ input: output })) {
    const { Message } = JSON.parse(line) as { Message: string };
    numbers.push(Number(Message.split(" ")[1]));
  }
  return numbers;
}

const isIncreasing = (numbers: readonly number[]) =>
  numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0));
const sent = 100 * 300;

for (const [kind, start] of Object.entries(kinds)) {
  describe(`StdoutSink on a ${kind} that nobody reads`, () => {
    test("costs a bounded queue, the event loop goes on, and all is accounted for when reading starts", async () => {
      const child = start();
      const exit = once(child.process, "exit");
      // The answer comes after 100 turns of the child's event loop.
      const blocked = await ask(child, { kind: "offer", batches: 100, eventsPerBatch: 300 });
      assert.equal(blocked.offered, sent);
      assert.ok(blocked.dropped.mailbox > 0 && blocked.queued > 0, JSON.stringify(blocked));
      assert.equal(blocked.offered, blocked.delivered + sumOf(blocked.dropped) + blocked.queued);

      const reading = readNumbers(child.output);
      const final = await ask(child, { kind: "close", withinMs: 60_000 });
      const numbers = await reading;
      assert.equal(numbers.length, final.delivered);
      assert.equal(final.delivered + sumOf(final.dropped), sent);
      assert.deepEqual(final.dropped, { ...noDrops(), mailbox: blocked.dropped.mailbox });
      assert.ok(isIncreasing(numbers), "in order");
      assert.equal(numbers.at(-1), sent - 1, "the newest events are kept");
      assert.deepEqual(await exit, [0, null]);
    });

    test("does not keep the process from exiting", async () => {
      const child = start();
      const exit = once(child.process, "exit");
      await ask(child, { kind: "offer", batches: 100, eventsPerBatch: 300 });
      const final = await ask(child, { kind: "close", withinMs: 1 });
      assert.ok(final.dropped.shutdown > 0);
      assert.equal(final.delivered + sumOf(final.dropped), sent);
      assert.deepEqual(await exit, [0, null]);
      child.output.destroy();
    });

    test("sees the reader go away", async () => {
      const child = start();
      const exit = once(child.process, "exit");
      await ask(child, { kind: "offer", batches: 100, eventsPerBatch: 300 });
      child.output.destroy();
      const final = await ask(child, { kind: "close", withinMs: 60_000 });
      assert.ok(final.dropped.disconnected > 0, JSON.stringify(final));
      assert.equal(final.delivered + sumOf(final.dropped), sent);
      assert.deepEqual(await exit, [0, null]);
    });
  });
}

test("StdoutSink on a descriptor that blocks a thread leaves the event loop alone", async () => {
  const { readEnd, writeEnd } = makePipe();
  const deps = { clock: systemClock, log: silentLog };
  const sink = new StdoutSink({ maxQueueBytes: 1 << 20 }, { ...deps, writer: new FdWriter({ fd: writeEnd }, deps) });
  const message = Buffer.from(`event 0 ${"x".repeat(70)}`);
  const frame = encodeFrame(Buffer.concat([Buffer.from([0x42, message.length]), message]));
  const bytes = Buffer.concat(Array.from({ length: 300 }, () => frame));
  for (let batches = 0; batches < 100; batches++) {
    sink.offer(fakeBatch("messages", bytes, 300));
    await turn();
  }
  const blocked = sink.counts("messages");
  assert.ok(blocked.dropped.mailbox > 0 && blocked.queued > 0, JSON.stringify(blocked));
  const reading = readNumbers(new Socket({ fd: readEnd, readable: true, writable: false }));
  await sink.close(new AbortController().signal);
  closeSync(writeEnd);
  const numbers = await reading;
  const final = sink.counts("messages");
  assert.equal(numbers.length, final.delivered);
  assert.equal(final.delivered + sumOf(final.dropped), sent);
});
