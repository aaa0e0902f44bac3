import { isUtf8 } from "node:buffer";
import { FieldCursor, wireType } from "../wire/protobuf.ts";
import { type ByteView, viewOf, writeText } from "./json-line-text.ts";

const keyNumber = 1;
const valueNumber = 2;
const quote = 0x22;
const colon = 0x3a;
const comma = 0x2c;

/** Up to here sorting by insertion is the cheapest; real events have a handful of keys. */
const maxInserted = 32;
/** A map of more entries gives its memory back. */
const maxKept = 1024;

/** The entries of one map<string, string> of one event, collected from the wire and printed in the order of their keys. */
export class MapEntries {
  readonly #cursor = new FieldCursor();
  #size = 0;
  // Columns of one table that is used again for each event, to make no garbage per event.
  #keyStart: number[] = [];
  #keyEnd: number[] = [];
  #valueStart: number[] = [];
  #valueEnd: number[] = [];
  /** Keys that are not UTF-8, as they are printed; the others lie in the event. */
  #repaired: (ByteView | undefined)[] = [];
  /** Entries by key, those of one key as they came. */
  #order: number[] = [];

  clear(): void {
    this.#size = 0;
    if (this.#order.length <= maxKept) return;
    this.#keyStart = [];
    this.#keyEnd = [];
    this.#valueStart = [];
    this.#valueEnd = [];
    this.#repaired = [];
    this.#order = [];
  }

  /** Adds the entry in `source` from `start` to `end`; false if it is malformed. */
  add(source: ByteView, start: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.reset(source.bytes, start, end);
    // A key or a value that is absent is the empty text.
    let keyStart = 0;
    let keyEnd = 0;
    let valueStart = 0;
    let valueEnd = 0;
    while (cursor.next()) {
      if (cursor.type !== wireType.bytes) continue;
      if (cursor.number === keyNumber) {
        keyStart = cursor.start;
        keyEnd = cursor.end;
      } else if (cursor.number === valueNumber) {
        valueStart = cursor.start;
        valueEnd = cursor.end;
      }
    }
    if (cursor.malformed) return false;
    const entry = this.#size++;
    this.#valueStart[entry] = valueStart;
    this.#valueEnd[entry] = valueEnd;
    if (isAscii(source.bytes, keyStart, keyEnd) || isUtf8(source.bytes.subarray(keyStart, keyEnd))) {
      this.#repaired[entry] = undefined;
      this.#keyStart[entry] = keyStart;
      this.#keyEnd[entry] = keyEnd;
    } else {
      // Repaired before keys are compared: two that print alike must not become one JSON object with a key twice.
      const key = Buffer.from(source.bytes.toString("utf8", keyStart, keyEnd));
      this.#repaired[entry] = viewOf(key);
      this.#keyStart[entry] = 0;
      this.#keyEnd[entry] = key.length;
    }
    return true;
  }

  /** Writes `"key":"value",…` sorted by the bytes of the keys, of equal keys the last, and returns the end in `target`. */
  write(source: ByteView, target: ByteView, start: number): number {
    this.#sort(source);
    let to = start;
    for (let position = 0; position < this.#size; position++) {
      const entry = this.#order[position] ?? 0;
      const isLast = position + 1 === this.#size;
      if (!isLast && this.#compareKeys(source, entry, this.#order[position + 1] ?? 0) === 0) continue;
      target.bytes[to++] = quote;
      to = writeText(this.#repaired[entry] ?? source, this.#keyStart[entry] ?? 0, this.#keyEnd[entry] ?? 0, target, to);
      target.bytes[to++] = quote;
      target.bytes[to++] = colon;
      target.bytes[to++] = quote;
      to = writeText(source, this.#valueStart[entry] ?? 0, this.#valueEnd[entry] ?? 0, target, to);
      target.bytes[to++] = quote;
      target.bytes[to++] = comma;
    }
    return to - 1;
  }

  #sort(source: ByteView): void {
    const order = this.#order;
    if (this.#size > maxInserted) {
      const entries = Array.from({ length: this.#size }, (_, entry) => entry);
      this.#order = entries.toSorted((a, b) => this.#compareKeys(source, a, b));
      return;
    }
    for (let entry = 0; entry < this.#size; entry++) {
      let position = entry;
      while (position > 0 && this.#compareKeys(source, order[position - 1] ?? 0, entry) > 0) {
        order[position] = order[position - 1] ?? 0;
        position--;
      }
      order[position] = entry;
    }
  }

  #compareKeys(source: ByteView, a: number, b: number): number {
    const aKey = (this.#repaired[a] ?? source).bytes;
    const bKey = (this.#repaired[b] ?? source).bytes;
    let aAt = this.#keyStart[a] ?? 0;
    let bAt = this.#keyStart[b] ?? 0;
    const aLength = (this.#keyEnd[a] ?? 0) - aAt;
    const bLength = (this.#keyEnd[b] ?? 0) - bAt;
    for (let left = Math.min(aLength, bLength); left > 0; left--) {
      const difference = (aKey[aAt++] ?? 0) - (bKey[bAt++] ?? 0);
      if (difference !== 0) return difference;
    }
    return aLength - bLength;
  }
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) >= 0x80) return false;
  return true;
}
