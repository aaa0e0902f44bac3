import type { Clock } from "../../lib/process/clock.ts";
import type { StreamEndReason } from "./stream-end.ts";

/** A time in which a feed of a node was not open after it had once been: what the agent saw in it is lost and unknowable. */
export interface Gap {
  /** Milliseconds since 1970, as the other times. */
  readonly fromMs: number;
  /** Undefined: it goes on. */
  readonly toMs: number | undefined;
  readonly reason: StreamEndReason;
  /** When the last event before it came, if there ever was one. */
  readonly lastEventMs: number | undefined;
}

export interface GapTotals {
  readonly count: number;
  /** Of all of them, the one that goes on included. */
  readonly durationMs: number;
}

type Times = Pick<Clock, "now" | "monotonic">;

interface Entry {
  readonly fromMs: number;
  /** On the monotonic clock: durations must not jump when somebody sets the time. */
  readonly begunMs: number;
  readonly reason: StreamEndReason;
  readonly lastEventMs: number | undefined;
  toMs: number | undefined;
  durationMs: number;
}

type State =
  | { readonly kind: "never open" }
  /** `after` = the gap that this opening ended. */
  | { readonly kind: "open"; readonly after: Entry | undefined }
  | { readonly kind: "gap"; readonly entry: Entry };

/** Of a feed; a lost connection makes one in each. */
const maxListed = 10;

/** The gaps of one feed of one node: the newest of them, and totals that never go back. */
export class Gaps {
  readonly #clock: Times;
  readonly #entries: Entry[] = [];
  #state: State = { kind: "never open" };
  #count = 0;
  /** Of the gaps that ended. */
  #endedMs = 0;

  constructor(clock: Times) {
    this.#clock = clock;
  }

  /** The newest, oldest first. */
  list(): readonly Gap[] {
    return this.#entries.map(({ fromMs, toMs, reason, lastEventMs }) => ({ fromMs, toMs, reason, lastEventMs }));
  }

  totals(): GapTotals {
    const state = this.#state;
    const lastingMs = state.kind === "gap" ? this.#clock.monotonic() - state.entry.begunMs : 0;
    return { count: this.#count, durationMs: this.#endedMs + lastingMs };
  }

  opened(): void {
    if (this.#state.kind === "open") return;
    this.#state = { kind: "open", after: this.#endGap() };
  }

  /** The opening was none: the agent does not serve the stream, so the gap before it has not ended. */
  refused(): void {
    if (this.#state.kind !== "open") return;
    const { after } = this.#state;
    if (after === undefined) {
      this.#state = { kind: "never open" };
      return;
    }
    this.#endedMs -= after.durationMs;
    after.toMs = undefined;
    this.#state = { kind: "gap", entry: after };
  }

  broke(reason: StreamEndReason, lastEventMs: number | undefined): void {
    if (this.#state.kind !== "open") return;
    const entry: Entry = {
      fromMs: this.#clock.now(),
      begunMs: this.#clock.monotonic(),
      reason,
      lastEventMs,
      toMs: undefined,
      durationMs: 0,
    };
    this.#entries.push(entry);
    if (this.#entries.length > maxListed) this.#entries.shift();
    this.#count += 1;
    this.#state = { kind: "gap", entry };
  }

  /** The agent is gone, or we hang up: nothing is expected of it any more. */
  left(): void {
    this.#endGap();
    this.#state = { kind: "never open" };
  }

  #endGap(): Entry | undefined {
    if (this.#state.kind !== "gap") return undefined;
    const { entry } = this.#state;
    entry.toMs = this.#clock.now();
    entry.durationMs = this.#clock.monotonic() - entry.begunMs;
    this.#endedMs += entry.durationMs;
    return entry;
  }
}
