/**
 * How much more the peer may send, of a stream or of the connection. What comes is consumed at once, so the window is opened
 * again as soon as half of it is used: an update costs nothing then, the peer never waits for one, and the window never
 * closes, provided that it is twice as large as a frame. So there is no overrun to look for.
 */
export class ReceiveWindow {
  readonly #size: number;
  #used = 0;

  constructor(sizeBytes: number) {
    this.#size = sizeBytes;
  }

  /** Takes what came, and returns by how much the window is to be opened now; 0 = not yet. */
  take(bytes: number): number {
    this.#used += bytes;
    if (this.#used * 2 < this.#size) return 0;
    const increment = this.#used;
    this.#used = 0;
    return increment;
  }
}
