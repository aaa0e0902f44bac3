/** Frames on their way to the peer: those of one turn leave in one write. */
export class Outbox {
  readonly #write: (bytes: Buffer) => number;
  #frames: Buffer[] = [];

  /** @param write returns how many bytes wait because the peer has not taken them */
  constructor(write: (bytes: Buffer) => number) {
    this.#write = write;
  }

  add(frame: Buffer): void {
    this.#frames.push(frame);
  }

  /** Returns how many bytes wait because the peer has not taken them; 0 when there was nothing to write. */
  flush(): number {
    if (this.#frames.length === 0) return 0;
    const bytes = Buffer.concat(this.#frames);
    this.#frames = [];
    return this.#write(bytes);
  }
}
