import { isUtf8 } from "node:buffer";
import type { FeedId } from "../feeds.ts";
import { jsonLineTables } from "../sinks/json-line-table.ts";
import { FieldCursor, wireType } from "../wire/protobuf.ts";

/** Above every field number that is known today. */
const fieldLimit = 64;

/** What a field holds, by its number: 0 = no text that we know of, `text`, or a part whose first so many fields are texts. */
type FieldKinds = Uint8Array;
const text = 255;
const textsOfEntry = 2;

function kindsOf(feed: FeedId): FieldKinds {
  const kinds = new Uint8Array(fieldLimit);
  for (const { number, type } of jsonLineTables[feed]) {
    if (type === "string" || type === "strings") kinds[number] = text;
    else if (type === "string-map") kinds[number] = textsOfEntry;
    else if (typeof type !== "string") kinds[number] = type.length;
  }
  return kinds;
}

/** Where the texts of one event lie, read in place: of a field that occurs twice the last one, as every reader takes it. */
export class EventFields {
  readonly #kinds: Readonly<Record<FeedId, FieldKinds>> = {
    alerts: kindsOf("alerts"),
    logs: kindsOf("logs"),
    messages: kindsOf("messages"),
  };
  readonly #starts = new Uint32Array(fieldLimit);
  readonly #ends = new Uint32Array(fieldLimit);
  readonly #cursor = new FieldCursor();
  readonly #inner = new FieldCursor();

  /** Reads the message in `bytes` from `start` to `end`; false where it is malformed. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const cursor = this.#cursor;
    this.#starts.fill(0);
    this.#ends.fill(0);
    cursor.reset(bytes, start, end);
    while (cursor.next()) {
      if (cursor.type !== wireType.bytes || cursor.number >= fieldLimit) continue;
      this.#starts[cursor.number] = cursor.start;
      this.#ends[cursor.number] = cursor.end;
    }
    return !cursor.malformed;
  }

  /** Of a field that is absent both are 0. */
  start(field: number): number {
    return this.#starts[field] ?? 0;
  }

  end(field: number): number {
    return this.#ends[field] ?? 0;
  }

  /**
   * Whether upstream could read a message that `read` has found well-formed: its parts are, too, and its texts are UTF-8,
   * also those that a later one overrides. What upstream could not read is forwarded as it is.
   */
  isReadable(feed: FeedId, bytes: Uint8Array, start: number, end: number): boolean {
    const kinds = this.#kinds[feed];
    const cursor = this.#cursor;
    cursor.reset(bytes, start, end);
    while (cursor.next()) {
      if (cursor.type !== wireType.bytes) continue;
      const kind = kinds[cursor.number] ?? 0;
      if (kind === text && !isText(bytes, cursor.start, cursor.end)) return false;
      if (kind > 0 && kind < text && !this.#isReadablePart(kind, bytes, cursor.start, cursor.end)) return false;
    }
    return true;
  }

  #isReadablePart(texts: number, bytes: Uint8Array, start: number, end: number): boolean {
    const inner = this.#inner;
    inner.reset(bytes, start, end);
    while (inner.next()) {
      const isKnown = inner.type === wireType.bytes && inner.number <= texts;
      if (isKnown && !isText(bytes, inner.start, inner.end)) return false;
    }
    return !inner.malformed;
  }
}

/** Nearly every text is ASCII, and short: a call out of JavaScript costs more than to look at it. */
function isText(bytes: Uint8Array, start: number, end: number): boolean {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at] ?? 0;
  return bits < 0x80 || isUtf8(bytes.subarray(start, end));
}
