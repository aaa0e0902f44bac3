import { Code, StatusError } from "./status.ts";

/**
 * What the messages of all calls may hold together while they are read, and written by handlers: each is bounded, but a
 * client may open many calls, and send in each what it is then slow to complete or to take an answer to.
 */
export class MessageBudget {
  readonly #maxBytes: number;
  #takenBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** @throws StatusError when there is not so much left; then nothing is taken. */
  take(bytes: number): void {
    if (this.#takenBytes + bytes > this.#maxBytes) {
      throw new StatusError(Code.RESOURCE_EXHAUSTED, `Messages of over ${this.#maxBytes} bytes are under way`);
    }
    this.#takenBytes += bytes;
  }

  give(bytes: number): void {
    this.#takenBytes -= bytes;
  }
}
