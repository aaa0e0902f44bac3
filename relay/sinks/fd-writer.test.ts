import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type Log, silentLog } from "../../lib/process/log.ts";
import type { WriteResult } from "./chunk-writer.ts";
import { FdWriter, type WriteFunction } from "./fd-writer.ts";

/** Takes as many bytes as each step says, or fails with its code; what was taken is in `taken`. */
function scriptedFd(steps: readonly (number | string)[]) {
  const taken: Buffer[] = [];
  let calls = 0;
  const write: WriteFunction = (_fd, bytes, offset, length, _position, callback) => {
    const step = steps[calls++] ?? length;
    if (typeof step === "string") callback(Object.assign(new Error(step), { code: step }), 0);
    else {
      taken.push(Buffer.from(bytes.subarray(offset, offset + step)));
      callback(null, step);
    }
  };
  return { write, text: () => Buffer.concat(taken).toString(), calls: () => calls };
}

function writeAll(steps: readonly (number | string)[]) {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
  const clock = new FakeClock();
  const fd = scriptedFd(steps);
  const writer = new FdWriter({ fd: 1 }, { clock, log, write: fd.write });
  const results: WriteResult[] = [];
  writer.write(Buffer.from("abcdef"), (result) => results.push(result));
  return { writer, fd, clock, results, warnings };
}

test("FdWriter.write() goes on where a partial write ended", () => {
  const { fd, results } = writeAll([1, 3]);
  assert.equal(fd.text(), "abcdef");
  assert.deepEqual(results, [{ kind: "written" }]);
});

test("FdWriter.write() waits longer and longer while a non-blocking reader is slow, and says nothing", () => {
  const { fd, clock, results, warnings } = writeAll([2, "EAGAIN", "EAGAIN", "EAGAIN", 1, "EAGAIN"]);
  assert.equal(fd.calls(), 2);
  clock.advance(1);
  assert.equal(fd.calls(), 3);
  clock.advance(1);
  assert.equal(fd.calls(), 3, "the second wait is longer");
  clock.advance(1 + 4);
  assert.deepEqual(results, []);
  clock.advance(1);
  assert.equal(fd.text(), "abcdef");
  assert.deepEqual(results, [{ kind: "written" }]);
  assert.deepEqual(warnings, []);
});

test("FdWriter.write() keeps the chunk and warns once when a disk is full", () => {
  const { fd, clock, results, warnings } = writeAll(["ENOSPC", "ENOSPC", "ENOSPC"]);
  clock.advance(10);
  assert.equal(fd.text(), "abcdef");
  assert.deepEqual(results, [{ kind: "written" }]);
  assert.equal(warnings.length, 1);
});

for (const code of ["EPIPE", "EBADF"]) {
  test(`FdWriter.write() is closed by ${code}`, () => {
    const { clock, results } = writeAll([2, code]);
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ["closed"],
    );
    assert.equal(clock.pendingTimers, 0);
  });
}

test("FdWriter.close() ends waiting", () => {
  const { writer, clock, results } = writeAll(["EAGAIN"]);
  writer.close();
  assert.equal(clock.pendingTimers, 0);
  assert.deepEqual(results, []);
});
