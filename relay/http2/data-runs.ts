/**
 * Moves the content of a stream's DATA frames together, over the headers in between, in the chunk they came in: agents send
 * each event in a frame of its own, and whoever reads the stream wants one run of events and not twenty.
 */
export class DataRuns<Stream> {
  readonly #sink: (stream: Stream, bytes: Buffer) => void;
  #stream: Stream | undefined;
  #chunk: Buffer | undefined;
  /** What was gathered is [start, end) of the chunk. */
  #start = 0;
  #end = 0;

  constructor(sink: (stream: Stream, bytes: Buffer) => void) {
    this.#sink = sink;
  }

  /** Takes [start, end) of `chunk`, of which what is before `end` belongs to the runs from now on. */
  add(stream: Stream, chunk: Buffer, start: number, end: number): void {
    if (this.#stream === stream) {
      // The very chunk: every chunk ends with a flush.
      chunk.copyWithin(this.#end, start, end);
      this.#end += end - start;
      return;
    }
    this.flush();
    this.#stream = stream;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
  }

  /** Hands on what was gathered. Due before anything else is said of a stream, and at a chunk's end. */
  flush(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#chunk === undefined) return;
    this.#stream = undefined;
    this.#sink(stream, this.#chunk.subarray(this.#start, this.#end));
  }
}
