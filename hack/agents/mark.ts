import type { FeedName } from "./contract.ts";

/**
 * What makes an event traceable from the agent that made it to whoever receives it, in whatever form.
 * As text: `sim:<agent>/<epoch>/<feed>/<number>@<microseconds>;`. In alerts and logs it is the value of EventData key
 * `Sim`, in messages the end of Message: fields that nothing on the way rewrites, and that stdout lines show too.
 */
export interface Mark {
  readonly agent: string;
  /** One life of the agent's process: numbers start again at 1 with the next. */
  readonly epoch: string;
  readonly feed: FeedName;
  /** Counts the events produced, also those that found no subscriber or a full queue. */
  readonly number: number;
  /** When it was produced, microseconds since 1970. */
  readonly producedUs: number;
}

export const markKey = "Sim";

const markStart = "sim:";
const markEnd = ";";
const markPattern = /^sim:([^/;]+)\/([^/;]+)\/(alerts|logs|messages)\/(\d+)@(\d+)$/;

/** The part of a mark that events of one feed and epoch share. */
export function markPrefix(agent: string, epoch: string, feed: FeedName): string {
  return `${markStart}${agent}/${epoch}/${feed}/`;
}

export function markText(prefix: string, number: number, producedUs: number): string {
  return `${prefix}${number}@${producedUs}${markEnd}`;
}

/** Finds the mark in an encoded event or in a line of text; undefined when there is none. */
export function findMark(event: Buffer | string): Mark | undefined {
  const start = event.lastIndexOf(markStart);
  if (start === -1) return undefined;
  const end = event.indexOf(markEnd, start);
  if (end === -1) return undefined;
  const text = typeof event === "string" ? event.slice(start, end) : event.toString("latin1", start, end);
  const [, agent, epoch, feed, number, producedUs] = markPattern.exec(text) ?? [];
  if (agent === undefined || epoch === undefined) return undefined;
  return { agent, epoch, feed: feed as FeedName, number: Number(number), producedUs: Number(producedUs) };
}

/** Microseconds since 1970 that never run backwards within a process. */
export function nowMicros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}
