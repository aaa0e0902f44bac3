import { framePrefixBytes } from "../wire/frame-cutter.ts";
import type { MessageBudget } from "./message-budget.ts";
import { Code, StatusError } from "./status.ts";

/** 4 MiB: what grpc-go and grpc-js accept in a message by default. */
export const defaultMaxMessageBytes = 4 * 1024 * 1024;

/** Cuts the messages out of a request body, whose chunks may split them anywhere, one at a time as they are asked for. */
export class MessageReader {
  readonly #budget: MessageBudget;
  readonly #maxBytes: number;
  // Chunks are copied: a small one would keep alive the whole read buffer that it is a view of.
  #buffer = Buffer.alloc(0);
  /** What is not handed out yet is [start, end). */
  #start = 0;
  #end = 0;

  /** What it holds comes out of `budget`, until `release` is called. */
  constructor(budget: MessageBudget, maxBytes: number = defaultMaxMessageBytes) {
    this.#budget = budget;
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /** @throws StatusError when the budget is used up. */
  push(chunk: Buffer): void {
    this.#makeRoom(chunk.length);
    this.#end += chunk.copy(this.#buffer, this.#end);
  }

  /** The next message, if it is complete. @throws StatusError for a compressed or an oversized one, at its prefix. */
  next(): Buffer | undefined {
    const length = this.#nextLength();
    if (length === undefined || framePrefixBytes + length > this.#end - this.#start) return undefined;
    const from = this.#start + framePrefixBytes;
    const message = Buffer.from(this.#buffer.subarray(from, from + length));
    this.#start = from + length;
    // A call may go on for long after a large message.
    if (this.isEmpty) this.release();
    return message;
  }

  /** The body is over. @throws StatusError in the middle of a message. */
  end(): void {
    // UNKNOWN, as grpc-go answers.
    if (!this.isEmpty) throw new StatusError(Code.UNKNOWN, "Request body ends inside a message");
  }

  release(): void {
    this.#budget.give(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
  }

  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const needed = this.#end - this.#start + bytes;
    let target = this.#buffer;
    if (needed > target.length) {
      const capacity = Math.max(needed, 2 * target.length);
      this.#budget.take(capacity - target.length);
      target = Buffer.alloc(capacity);
    }
    this.#end = this.#buffer.copy(target, 0, this.#start, this.#end);
    this.#start = 0;
    this.#buffer = target;
  }

  #nextLength(): number | undefined {
    if (this.#end - this.#start < framePrefixBytes) return undefined;
    const flag = this.#buffer.readUInt8(this.#start);
    const length = this.#buffer.readUInt32BE(this.#start + 1);
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
