import { isUtf8 } from "node:buffer";
import { FieldCursor, wireType } from "../wire/protobuf.ts";
import { type ByteView, viewOf, writeText } from "./json-line-text.ts";

const keyNumber = 1;
const valueNumber = 2;
const quote = 0x22;
const colon = 0x3a;
const comma = 0x2c;

/** The entries of one map<string, string> of one event, collected from the wire and printed in the order of their keys. */
export class MapEntries {
  readonly #cursor = new FieldCursor();
  // Columns of one table, to make no object an entry. Keys lie in the event, or in a copy if they had to be repaired.
  #keys: ByteView[] = [];
  #keyStart: number[] = [];
  #keyEnd: number[] = [];
  #valueStart: number[] = [];
  #valueEnd: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  clear(): void {
    if (this.#keys.length === 0) return;
    this.#keys = [];
    this.#keyStart = [];
    this.#keyEnd = [];
    this.#valueStart = [];
    this.#valueEnd = [];
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
    this.#valueStart.push(valueStart);
    this.#valueEnd.push(valueEnd);
    if (isAscii(source.bytes, keyStart, keyEnd) || isUtf8(source.bytes.subarray(keyStart, keyEnd))) {
      this.#keys.push(source);
      this.#keyStart.push(keyStart);
      this.#keyEnd.push(keyEnd);
    } else {
      // Repaired before keys are compared: two that print alike must not become one JSON object with a key twice.
      const repaired = Buffer.from(source.bytes.toString("utf8", keyStart, keyEnd));
      this.#keys.push(viewOf(repaired));
      this.#keyStart.push(0);
      this.#keyEnd.push(repaired.length);
    }
    return true;
  }

  /** Writes `"key":"value",…` sorted by the bytes of the keys, of equal keys the last, and returns the end in `target`. */
  write(source: ByteView, target: ByteView, start: number): number {
    const order = this.#order();
    let to = start;
    for (const [position, entry] of order.entries()) {
      const following = order[position + 1];
      if (following !== undefined && this.#compareKeys(entry, following) === 0) continue;
      target.bytes[to++] = quote;
      to = writeText(this.#keys[entry] ?? source, this.#keyStart[entry] ?? 0, this.#keyEnd[entry] ?? 0, target, to);
      target.bytes[to++] = quote;
      target.bytes[to++] = colon;
      target.bytes[to++] = quote;
      to = writeText(source, this.#valueStart[entry] ?? 0, this.#valueEnd[entry] ?? 0, target, to);
      target.bytes[to++] = quote;
      target.bytes[to++] = comma;
    }
    return to - 1;
  }

  /** Entries by key; those of one key in the order of the wire (the sort is stable). */
  #order(): readonly number[] {
    const entries = [...this.#keys.keys()];
    return entries.length === 1 ? entries : entries.toSorted((a, b) => this.#compareKeys(a, b));
  }

  #compareKeys(a: number, b: number): number {
    const aKey = this.#keys[a]?.bytes;
    const bKey = this.#keys[b]?.bytes;
    if (aKey === undefined || bKey === undefined) return 0;
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
