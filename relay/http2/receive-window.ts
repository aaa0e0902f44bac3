/**
 * How much more the peer may send, of a stream or of the connection. What comes is consumed at once, so the window is opened
 * again when half of it is used: an update costs nothing then, and the peer never waits for one.
 */
export class ReceiveWindow {
  readonly #size: number;
  #left: number;

  constructor(sizeBytes: number) {
    this.#size = sizeBytes;
    this.#left = sizeBytes;
  }

  /** Takes what came. Returns false when the peer was not allowed to send so much. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** The increment to grant now; 0 = none is due. */
  grant(): number {
    const used = this.#size - this.#left;
    if (used * 2 < this.#size) return 0;
    this.#left = this.#size;
    return used;
  }
}
