import assert from "node:assert/strict";
import { test } from "node:test";
import { startProgress } from "./progress.ts";

function watched() {
  const state = { nowMs: 0, lines: [] as string[], tick: () => {}, running: true };
  const progress = startProgress({
    now: () => state.nowMs,
    write: (line) => state.lines.push(line),
    every(_periodMs, callback) {
      state.tick = callback;
      return () => {
        state.running = false;
      };
    },
  });
  return { state, progress };
}

test("startProgress() writes every step at once and its newest detail now and then", () => {
  const { state, progress } = watched();
  progress.step("compiling");
  state.nowMs = 5_000;
  progress.detail("1 compiled");
  progress.detail("2 compiled");
  state.tick();
  state.nowMs = 61_000;
  progress.step("linking");
  state.tick();
  assert.deepEqual(state.lines, [
    "[   0s] compiling",
    "[   5s] compiling: 2 compiled",
    "[  61s] linking",
    "[  61s] linking",
  ]);
  progress[Symbol.dispose]();
  assert.equal(state.running, false);
});

test("startProgress() is silent until there is a step", () => {
  const { state } = watched();
  state.tick();
  assert.deepEqual(state.lines, []);
});
