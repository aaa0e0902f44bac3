import { ConnectionError } from "./errors.ts";
import { Flag, FrameType } from "./frame.ts";

/** A header block, whole, and the stream it belongs to. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly isEndOfStream: boolean;
  readonly bytes: Buffer;
}

/** Frames that one block may be spread over. One holds 16 KiB, and an agent's headers are some hundred bytes. */
const maxContinuations = 8;

/** Puts header blocks together from HEADERS and CONTINUATION frames, which nothing may come between. */
export class HeaderBlockReader {
  #streamId = 0;
  #isEndOfStream = false;
  #fragments: Buffer[] = [];

  /** @throws {ConnectionError} when a block is being read that this frame does not continue. Call it for every frame, DATA included. */
  expect(type: number, streamId: number): void {
    if (this.#fragments.length === 0) {
      if (type === FrameType.continuation)
        throw new ConnectionError("PROTOCOL_ERROR", "CONTINUATION frame without HEADERS before it");
    } else if (type !== FrameType.continuation || streamId !== this.#streamId) {
      throw new ConnectionError("PROTOCOL_ERROR", `Frame of type ${type} inside the header block of another`);
    }
  }

  /** Takes a HEADERS frame; the result is a block if that is all of it. */
  headers(flags: number, streamId: number, payload: Buffer): HeaderBlock | undefined {
    this.#streamId = streamId;
    this.#isEndOfStream = (flags & Flag.endStream) !== 0;
    return this.#add(flags, fragmentOf(flags, payload));
  }

  /** Takes a CONTINUATION frame, after `expect`. */
  continuation(flags: number, payload: Buffer): HeaderBlock | undefined {
    return this.#add(flags, payload);
  }

  #add(flags: number, fragment: Buffer): HeaderBlock | undefined {
    if (this.#fragments.length > maxContinuations) {
      throw new ConnectionError("ENHANCE_YOUR_CALM", `Header block in more than ${maxContinuations + 1} frames`);
    }
    if ((flags & Flag.endHeaders) === 0) {
      this.#fragments.push(Buffer.from(fragment));
      return undefined;
    }
    const bytes = this.#fragments.length === 0 ? fragment : Buffer.concat([...this.#fragments, fragment]);
    this.#fragments = [];
    return { streamId: this.#streamId, isEndOfStream: this.#isEndOfStream, bytes };
  }
}

/** A HEADERS frame's part of the block: without padding and priority. */
function fragmentOf(flags: number, payload: Buffer): Buffer {
  const isPadded = (flags & Flag.padded) !== 0;
  // Dependency and weight, which mean nothing any more.
  const start = (isPadded ? 1 : 0) + ((flags & Flag.priority) === 0 ? 0 : 5);
  if (payload.length < start) throw new ConnectionError("FRAME_SIZE_ERROR", `HEADERS frame of ${payload.length} bytes`);
  const end = payload.length - (isPadded ? payload.readUInt8(0) : 0);
  if (end < start) throw new ConnectionError("PROTOCOL_ERROR", "HEADERS frame with more padding than payload");
  return payload.subarray(start, end);
}
