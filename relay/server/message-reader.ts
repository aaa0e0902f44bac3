import type { RequestBudget } from "./request-budget.ts";
import { Code, StatusError } from "./status.ts";

/** 4 MiB: what grpc-go and grpc-js accept in a message by default. */
export const defaultMaxMessageBytes = 4 * 1024 * 1024;

const prefixBytes = 5;

/**
 * Cuts the messages out of a request body, whose chunks may split them anywhere.
 * A message is a compression flag, its length (4 bytes, big endian), its bytes.
 */
export class MessageReader {
  readonly #budget: RequestBudget;
  readonly #maxBytes: number;
  // Chunks are copied: a small one would keep alive the whole read buffer that it is a view of.
  #buffer = Buffer.alloc(0);
  #used = 0;

  /** What it holds comes out of `budget`, until `release` is called. */
  constructor(budget: RequestBudget, maxBytes: number = defaultMaxMessageBytes) {
    this.#budget = budget;
    this.#maxBytes = maxBytes;
  }

  /** The messages that `chunk` completes. @throws StatusError for a compressed or an oversized one. */
  push(chunk: Buffer): Buffer[] {
    this.#append(chunk);
    const messages: Buffer[] = [];
    let start = 0;
    for (;;) {
      const length = this.#lengthAt(start);
      if (length === undefined || start + prefixBytes + length > this.#used) break;
      messages.push(Buffer.from(this.#buffer.subarray(start + prefixBytes, start + prefixBytes + length)));
      start += prefixBytes + length;
    }
    this.#buffer.copyWithin(0, start, this.#used);
    this.#used -= start;
    return messages;
  }

  /** The body is over. @throws StatusError in the middle of a message. */
  end(): void {
    // UNKNOWN, as grpc-go answers.
    if (this.#used > 0) throw new StatusError(Code.UNKNOWN, "Request body ends inside a message");
  }

  release(): void {
    this.#budget.give(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#used = 0;
  }

  #append(chunk: Buffer): void {
    const needed = this.#used + chunk.length;
    if (needed > this.#buffer.length) {
      const capacity = Math.max(needed, 2 * this.#buffer.length);
      this.#budget.take(capacity - this.#buffer.length);
      const grown = Buffer.alloc(capacity);
      this.#buffer.copy(grown, 0, 0, this.#used);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#used);
    this.#used = needed;
  }

  /** The length of the message whose prefix is at `start`, once the prefix is there. */
  #lengthAt(start: number): number | undefined {
    if (this.#used - start < prefixBytes) return undefined;
    const flag = this.#buffer.readUInt8(start);
    const length = this.#buffer.readUInt32BE(start + 1);
    if (flag !== 0) {
      throw new StatusError(Code.INTERNAL, `Message has compression flag ${flag}, but no grpc-encoding is in use`);
    }
    if (length > this.#maxBytes) {
      throw new StatusError(
        Code.RESOURCE_EXHAUSTED,
        `Received message larger than max (${length} vs. ${this.#maxBytes})`,
      );
    }
    return length;
  }
}
