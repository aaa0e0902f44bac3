import type { Judge } from "./judge.ts";
import type { Plan } from "./plan.ts";
import type { Prng } from "./prng.ts";
import type { ClockView } from "./sim-clock.ts";
import type { Trace } from "./trace.ts";

/** What all that is scripted shares. */
export class World {
  readonly plan: Plan;
  /** Of the world, not of the relay: what it draws must not depend on what the relay does with its own. */
  readonly prng: Prng;
  readonly clock: ClockView;
  readonly judge: Judge;
  readonly trace: Trace;

  constructor(plan: Plan, prng: Prng, clock: ClockView, judge: Judge, trace: Trace) {
    this.plan = plan;
    this.prng = prng;
    this.clock = clock;
    this.judge = judge;
    this.trace = trace;
  }

  latencyMs(): number {
    return this.prng.next() * this.plan.maxLatencyMs;
  }

  /** How much the network hands on at a time. */
  chunkBytes(): number {
    switch (this.plan.chunking) {
      case "whole":
        return this.plan.stream.readBuffer.length;
      case "bytes":
        // One by one, but not all of a burst: its steps would be most of the seed's time.
        return this.prng.chance(0.7) ? this.prng.between(1, 3) : this.prng.between(1, 400);
      case "random":
        return this.prng.between(1, 300);
    }
  }
}
