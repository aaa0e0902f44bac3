import { Code, StatusError } from "./status.ts";

/** What all requests that are being read may hold together: each is bounded, but a client may open thousands. */
export class RequestBudget {
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
      throw new StatusError(Code.RESOURCE_EXHAUSTED, `Requests of over ${this.#maxBytes} bytes are being read`);
    }
    this.#takenBytes += bytes;
  }

  give(bytes: number): void {
    this.#takenBytes -= bytes;
  }
}
