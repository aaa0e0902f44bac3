/** An object of the API is at most 1.5 MiB in etcd; decoded JSON of several versions of one field may be larger. */
const defaultMaxLineBytes = 64 * 1024 * 1024;
const newline = 10;

/** Cuts a stream of bytes into lines. What comes after the last newline is kept for the next chunk. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(maxLineBytes: number = defaultMaxLineBytes) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes of a line without its end: more than none when the stream ends means that it was cut. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * The lines that `chunk` completes, without their newlines; empty ones are left out.
   * @throws RangeError when a line has no end within the limit
   */
  push(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = this.#complete(chunk, start, end);
      if (line !== "") lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) {
      // Searched once only: chunks without a newline are joined when it comes.
      this.#pending.push(chunk.subarray(start));
      this.#pendingBytes += chunk.length - start;
    }
    if (this.#pendingBytes > this.#maxLineBytes) {
      throw new RangeError(`Cannot split lines: one is longer than ${this.#maxLineBytes} bytes`);
    }
    return lines;
  }

  #complete(chunk: Buffer, start: number, end: number): string {
    if (this.#pendingBytes === 0) return chunk.toString("utf8", start, end);
    this.#pending.push(chunk.subarray(start, end));
    // Joined as bytes: a character may straddle two chunks.
    const line = Buffer.concat(this.#pending).toString("utf8");
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }
}
