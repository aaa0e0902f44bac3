import { MessagePart } from "./json-line-message.ts";
import type { MessageTable } from "./json-line-table.ts";
import { type ByteView, maxBytesPerTextByte } from "./json-line-text.ts";

/** What `JsonLine.write` returns for bytes that are not a protobuf message. */
export const unreadable = -1;

/**
 * Prints events of one type straight from their wire bytes as the JSON that Go's encoding/json makes of upstream's
 * structs. One scan notes where the last value of each field lies; then fields are copied in the order of the table.
 */
export class JsonLine {
  readonly #message: MessagePart;

  constructor(table: MessageTable) {
    this.#message = new MessagePart(table);
  }

  /** How many bytes the line of an event of `length` bytes may take at most. */
  maxBytes(length: number): number {
    return this.#message.maxFixedBytes + length * maxBytesPerTextByte;
  }

  /**
   * Writes the event in `source` from `start` to `end` to `target`, which must have room for `maxBytes`, without a
   * newline. Returns the end in `target`, or `unreadable` with nothing written.
   */
  write(source: ByteView, start: number, end: number, target: ByteView, targetStart: number): number {
    this.#message.clear();
    if (!this.#message.scan(source, start, end)) return unreadable;
    return this.#message.write(source, target, targetStart);
  }
}
