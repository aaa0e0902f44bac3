/** Takes chunks of bytes one after the other; never holds up the event loop, however slow the reader is. */
export interface ChunkWriter {
  /**
   * Writes a whole chunk, which stays untouched until `done` has been called, later than this returns. The next chunk has
   * to wait for that: back-pressure is the caller's queue. After "closed" there is nothing left to write to.
   */
  write(chunk: Buffer, done: (result: WriteResult) => void): void;
  /** Gives up the chunk at hand, whose `done` is not called any more, and what the writer opened. */
  close(): void;
}

export type WriteResult = { readonly kind: "written" } | { readonly kind: "closed"; readonly error: Error };
