import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import type { WriteResult } from "../sinks/chunk-writer.ts";
import { FencedWriter } from "./fenced-writer.ts";

function start({ result = { kind: "written" } }: { readonly result?: WriteResult } = {}) {
  const clock = new FakeClock();
  const log: string[] = [];
  const fence = { isUp: true };
  const inner = {
    write: (chunk: Buffer, done: (result: WriteResult) => void) => {
      log.push(chunk.toString());
      done(result);
    },
    close: () => log.push("closed"),
  };
  const writer = new FencedWriter(inner, { clock, mayWrite: () => fence.isUp, onClosed: () => log.push("gone") });
  const write = (text: string) => writer.write(Buffer.from(text), ({ kind }) => log.push(kind));
  return { clock, log, fence, write, writer };
}

test("FencedWriter writes during a turn", () => {
  const { log, write, writer } = start();
  writer.setTurn(true);
  write("a");
  assert.deepEqual(log, ["a", "written"]);
});

test("FencedWriter writes nothing between turns, though it might", () => {
  const { log, write, writer } = start();
  write("a");
  assert.deepEqual(log, []);
  writer.setTurn(true);
  assert.deepEqual(log, ["a", "written"]);
});

test("FencedWriter holds a chunk until it may be written again", () => {
  const { clock, log, fence, write, writer } = start();
  writer.setTurn(true);
  fence.isUp = false;
  write("a");
  clock.advance(60_000);
  assert.deepEqual(log, []);
  fence.isUp = true;
  clock.advance(50);
  assert.deepEqual(log, ["a", "written"]);
});

test("FencedWriter holds a chunk between turns without looking, and writes it once in the next one", () => {
  const { clock, log, fence, write, writer } = start();
  writer.setTurn(true);
  fence.isUp = false;
  write("a");
  writer.setTurn(false);
  assert.equal(clock.pendingTimers, 0);
  fence.isUp = true;
  clock.advance(60_000);
  assert.deepEqual(log, []);
  writer.setTurn(true);
  writer.setTurn(true);
  assert.deepEqual(log, ["a", "written"]);
});

test("FencedWriter tells that there is nothing left to write to, after whoever wrote", () => {
  const { log, write, writer } = start({ result: { kind: "closed", error: new Error("EPIPE") } });
  writer.setTurn(true);
  write("a");
  assert.deepEqual(log, ["a", "closed", "gone"]);
});

test("FencedWriter.close() gives up the chunk it holds", () => {
  const { clock, log, fence, write, writer } = start();
  writer.setTurn(true);
  fence.isUp = false;
  write("a");
  writer.close();
  fence.isUp = true;
  clock.advance(60_000);
  writer.setTurn(true);
  assert.deepEqual(log, ["closed"]);
  assert.equal(clock.pendingTimers, 0);
});
