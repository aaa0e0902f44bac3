import { framePrefixBytes } from "../wire/frame-cutter.ts";
import { FieldCursor, readInt32, wireType } from "../wire/protobuf.ts";

/** An agent's word that it drops a container's alerts, which nobody will ever see: what it throttled it does not count. */
export interface ThrottleNotice {
  readonly namespace: string;
  readonly pod: string;
  /** The rate above which it drops. */
  readonly maxAlertsPerSecond: number;
  /** For how long it drops. */
  readonly droppingSeconds: number;
}

/** What a node's agent said of its throttling, for people. */
export interface ThrottleSummary {
  readonly notices: number;
  readonly last: (ThrottleNotice & { readonly atMs: number }) | undefined;
}

const operation = "AlertThreshold";
/** With its length before it, as on the wire: a byte that text hardly ever holds makes the search twenty times as fast. */
const needle = Buffer.from(`${String.fromCharCode(operation.length)}${operation}`);
/** Of `feeder.Alert`. Source: the public contract (proto/kubearmor.proto). */
const fields = {
  namespace: 5,
  pod: 6,
  type: 17,
  operation: 19,
  maxAlertsPerSecond: 34,
  droppingSeconds: 35,
} as const;
const textFields: ReadonlySet<number> = new Set([fields.namespace, fields.pod, fields.type, fields.operation]);
/** Names of Kubernetes objects are not longer; an agent's bytes are kept, so they are bounded. */
const maxNameBytes = 253;
const none: readonly ThrottleNotice[] = [];

/**
 * The throttle notices in a run of whole frames of alerts. Runs without one cost a search for its bytes; only frames that
 * hold these are read.
 */
export function throttleNoticesIn(run: Buffer): readonly ThrottleNotice[] {
  let hit = run.indexOf(needle);
  if (hit < 0) return none;
  const cursor = new FieldCursor();
  const notices: ThrottleNotice[] = [];
  for (let at = 0; hit >= 0 && at < run.length; ) {
    const start = at + framePrefixBytes;
    const end = start + run.readUInt32BE(at + 1);
    if (hit < end) {
      const notice = readNotice(cursor, run, start, end);
      if (notice !== undefined) notices.push(notice);
      hit = run.indexOf(needle, end);
    }
    at = end;
  }
  return notices;
}

/** Undefined when the message is none, or cannot be read. */
function readNotice(cursor: FieldCursor, bytes: Buffer, start: number, end: number): ThrottleNotice | undefined {
  const texts = new Map<number, string>();
  const numbers = new Map<number, number>();
  cursor.reset(bytes, start, end);
  // The last value of a field wins. https://protobuf.dev/programming-guides/encoding/#last-one-wins
  while (cursor.next()) {
    if (cursor.type === wireType.bytes && textFields.has(cursor.number))
      texts.set(cursor.number, textOf(bytes, cursor));
    if (cursor.type === wireType.varint) numbers.set(cursor.number, readInt32(bytes, cursor.start));
  }
  const isNotice =
    texts.get(fields.type) === "SystemEvent" && texts.get(fields.operation) === operation && !cursor.malformed;
  if (!isNotice) return undefined;
  return {
    namespace: texts.get(fields.namespace) ?? "",
    pod: texts.get(fields.pod) ?? "",
    maxAlertsPerSecond: numbers.get(fields.maxAlertsPerSecond) ?? 0,
    droppingSeconds: numbers.get(fields.droppingSeconds) ?? 0,
  };
}

function textOf(bytes: Buffer, { start, end }: FieldCursor): string {
  return bytes.toString("utf8", start, Math.min(end, start + maxNameBytes));
}

/** Counts the throttle notices of one node. */
export class ThrottleCounts {
  #notices = 0;
  #last: ThrottleSummary["last"];

  /** Looks through a run of alerts. */
  look(run: Buffer, nowMs: number): void {
    const notices = throttleNoticesIn(run);
    const last = notices.at(-1);
    if (last === undefined) return;
    this.#notices += notices.length;
    this.#last = { ...last, atMs: nowMs };
  }

  get notices(): number {
    return this.#notices;
  }

  summary(): ThrottleSummary {
    return { notices: this.#notices, last: this.#last };
  }
}
