import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { FencedWriter } from "./fenced-writer.ts";

function start() {
  const clock = new FakeClock();
  const log: string[] = [];
  const turn = { isOurs: true };
  const inner = {
    write: (chunk: Buffer, done: (result: { readonly kind: "written" }) => void) => {
      log.push(chunk.toString());
      done({ kind: "written" });
    },
    close: () => log.push("closed"),
  };
  const writer = new FencedWriter(inner, clock, () => turn.isOurs);
  return { clock, log, turn, write: (text: string) => writer.write(Buffer.from(text), () => log.push("done")), writer };
}

test("FencedWriter writes while it may", () => {
  const { log, write } = start();
  write("a");
  assert.deepEqual(log, ["a", "done"]);
});

test("FencedWriter holds a chunk until it may be written again", () => {
  const { clock, log, turn, write } = start();
  turn.isOurs = false;
  write("a");
  clock.advance(60_000);
  assert.deepEqual(log, []);
  turn.isOurs = true;
  clock.advance(50);
  assert.deepEqual(log, ["a", "done"]);
});

test("FencedWriter.close() gives up the chunk it holds", () => {
  const { clock, log, turn, write, writer } = start();
  turn.isOurs = false;
  write("a");
  writer.close();
  turn.isOurs = true;
  clock.advance(60_000);
  assert.deepEqual(log, ["closed"]);
  assert.equal(clock.pendingTimers, 0);
});
