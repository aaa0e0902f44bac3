import { setTimeout as sleep } from "node:timers/promises";
import type { Counters, Load } from "./load.ts";

const connectMs = 30_000;
const drainMs = 10_000;

/** Waits until the agents have that many subscriptions. */
export async function watched(load: Load, streams: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + connectMs;
  for (let { agentStreams } = await load.state(); agentStreams < streams; { agentStreams } = await load.state()) {
    if (performance.now() > deadline) {
      throw new Error(`Cannot start the load: ${agentStreams} of ${streams} subscriptions after ${connectMs / 1000} s`);
    }
    await sleep(20, undefined, { signal });
  }
}

/** The counters once everything has arrived, or nothing has for a second. */
export async function drained(load: Load, signal: AbortSignal): Promise<Counters> {
  const deadline = performance.now() + drainMs;
  let counters = await load.state();
  let movedAt = performance.now();
  while (counters.behind > 0 && performance.now() < Math.min(deadline, movedAt + 1000)) {
    await sleep(50, undefined, { signal });
    const next = await load.state();
    if (next.delivered > counters.delivered) movedAt = performance.now();
    counters = next;
  }
  return counters;
}
