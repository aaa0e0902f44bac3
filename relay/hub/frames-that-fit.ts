import { framePrefixBytes } from "../wire/frame-cutter.ts";

/** The size of the frame that begins at `from`, its prefix included. */
export function firstFrameBytes(run: Buffer, from: number): number {
  return framePrefixBytes + run.readUInt32BE(from + 1);
}

export interface Frames {
  readonly events: number;
  /** Where the last of them ends. */
  readonly end: number;
}

/** How many of the `events` whole frames from `from` to the end of the run fit into `room` bytes, and where they end. */
export function framesThatFit(run: Buffer, from: number, events: number, room: number): Frames {
  if (run.length - from <= room) return { events, end: run.length };
  let count = 0;
  let end = from;
  while (count < events) {
    const next = end + firstFrameBytes(run, end);
    if (next - from > room) break;
    end = next;
    count++;
  }
  return { events: count, end };
}
