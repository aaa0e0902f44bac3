import type { Clock } from "../../lib/process/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly ordinal: number;
  readonly callback: () => void;
  readonly owner: ClockView;
  isCancelled: boolean;
}

/** A power of two: then sums and differences of instants are exact, and who waits for what is left of a time waits once. */
const ticksPerMs = 1024;

/** One virtual time for several owners, each of which can be asked how many timers it has left. */
export class SimClock {
  #nowMs = 0;
  #ordinal = 0;
  /** A binary heap: the earliest first, those of one instant in the order they were set. */
  readonly #heap: Timer[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  view(): ClockView {
    return new ClockView(this);
  }

  set(owner: ClockView, delayMs: number, callback: () => void): Timer {
    const timer = {
      atMs: this.#nowMs + Math.ceil(Math.max(0, delayMs) * ticksPerMs) / ticksPerMs,
      ordinal: this.#ordinal++,
      callback,
      owner,
      isCancelled: false,
    };
    this.#push(timer);
    return timer;
  }

  /** Goes to the earliest timer that is due by `untilMs` and calls it; false = there is none, and it is `untilMs`. */
  step(untilMs: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return false;
      }
      this.#pop();
      if (first.isCancelled) continue;
      this.#nowMs = first.atMs;
      first.owner.pending -= 1;
      first.callback();
      return true;
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || isBefore(parent, timer)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let child = heap[down];
      const right = heap[down + 1];
      if (child === undefined) break;
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        down += 1;
      }
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

/** The clock as one owner sees it. */
export class ClockView implements Clock {
  readonly #clock: SimClock;
  /** Timers that are set and neither fired nor cancelled. */
  pending = 0;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.nowMs;
  }

  monotonic(): number {
    return this.#clock.nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    this.pending += 1;
    let isFired = false;
    const timer = this.#clock.set(this, delayMs, () => {
      isFired = true;
      callback();
    });
    return () => {
      if (isFired || timer.isCancelled) return;
      timer.isCancelled = true;
      this.pending -= 1;
    };
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.ordinal < other.ordinal);
}
