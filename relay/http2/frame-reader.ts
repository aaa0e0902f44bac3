import { ConnectionError } from "./errors.ts";
import { Flag, FrameType, frameHeaderBytes, maxFrameBytes } from "./frame.ts";

/** Takes what a byte stream of frames holds, in its order. */
export interface FrameHandler {
  /** A whole frame other than DATA. The payload is valid only during the call. */
  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void;
  /** A DATA frame begins; padding is part of `length`. */
  onDataStart(streamId: number, length: number): void;
  /** A piece of the frame's content is [start, end) of `chunk`; the frame reader has no more use for what is before `end`. */
  onData(chunk: Buffer, start: number, end: number): void;
  onDataEnd(isEndOfStream: boolean): void;
}

/**
 * Cuts a byte stream, however it is split, into frames. DATA is handed on as it comes, without a copy; of any other frame at
 * most one is put together, in a buffer of its own.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** The start of a frame's header, if the last chunk ended in one. */
  #header: Buffer | undefined;
  #headerLength = 0;
  /** The frame being read. */
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of the DATA payload not read yet, padding included; undefined = none is being read. */
  #dataLeft: number | undefined;
  #padding = 0;
  #isPadLengthDue = false;
  /** The payload of another frame, as far as it has come. */
  #payload: Buffer | undefined;
  #payloadLength = 0;
  #isStopped = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Nothing is handed on any more, not even of the chunk being read. */
  stop(): void {
    this.#isStopped = true;
  }

  /** @throws {ConnectionError} for what is no frame, and whatever the handler throws; reading on is not possible then. */
  push(chunk: Buffer): void {
    let position = this.#finishFrame(chunk);
    while (!this.#isStopped && position + frameHeaderBytes <= chunk.length) {
      position = this.#startFrame(chunk, position, chunk, position + frameHeaderBytes);
    }
    if (this.#isStopped || position === chunk.length) return;
    this.#header = Buffer.allocUnsafe(frameHeaderBytes);
    this.#headerLength = chunk.copy(this.#header, 0, position);
  }

  /** Reads the rest of the frame that the chunks before began, and returns where the next one starts. */
  #finishFrame(chunk: Buffer): number {
    if (this.#isStopped) return 0;
    if (this.#dataLeft !== undefined) return this.#continueData(chunk, 0, this.#dataLeft);
    if (this.#payload !== undefined) return this.#continuePayload(chunk, 0, this.#payload);
    const header = this.#header;
    if (header === undefined) return 0;
    const taken = chunk.copy(header, this.#headerLength);
    this.#headerLength += taken;
    if (this.#headerLength < frameHeaderBytes) return taken;
    this.#header = undefined;
    return this.#startFrame(header, 0, chunk, taken);
  }

  /** Reads as much of a frame as there is, whose header is at `at` in `header`, and returns where the next one starts. */
  #startFrame(header: Buffer, at: number, chunk: Buffer, position: number): number {
    const length = (byte(header, at) << 16) | (byte(header, at + 1) << 8) | byte(header, at + 2);
    const type = byte(header, at + 3);
    const flags = byte(header, at + 4);
    const streamId = header.readUInt32BE(at + 5) & 0x7fff_ffff;
    if (length > maxFrameBytes) {
      throw new ConnectionError("FRAME_SIZE_ERROR", `Frame of ${length} bytes, at most ${maxFrameBytes} are taken`);
    }
    this.#flags = flags;
    if (type === FrameType.data) {
      this.#isPadLengthDue = (flags & Flag.padded) !== 0;
      this.#padding = 0;
      if (this.#isPadLengthDue && length === 0) {
        throw new ConnectionError("FRAME_SIZE_ERROR", "Padded DATA frame without a padding length");
      }
      this.#handler.onDataStart(streamId, length);
      return this.#continueData(chunk, position, length);
    }
    const end = position + length;
    if (end <= chunk.length) {
      this.#handler.onFrame(type, flags, streamId, chunk.subarray(position, end));
      return end;
    }
    this.#type = type;
    this.#streamId = streamId;
    this.#payloadLength = 0;
    this.#payload = Buffer.allocUnsafe(length);
    return this.#continuePayload(chunk, position, this.#payload);
  }

  #continueData(chunk: Buffer, from: number, length: number): number {
    let position = from;
    let left = length;
    this.#dataLeft = left;
    if (this.#isPadLengthDue && position < chunk.length) {
      this.#padding = byte(chunk, position);
      this.#isPadLengthDue = false;
      position += 1;
      left -= 1;
      if (this.#padding > left) {
        throw new ConnectionError("PROTOCOL_ERROR", `DATA frame with ${this.#padding} bytes of padding in ${left}`);
      }
    }
    const content = Math.min(left - this.#padding, chunk.length - position);
    if (content > 0) {
      this.#handler.onData(chunk, position, position + content);
      position += content;
      left -= content;
    }
    const padding = Math.min(left, chunk.length - position);
    position += padding;
    left -= padding;
    if (left > 0) {
      this.#dataLeft = left;
    } else {
      this.#dataLeft = undefined;
      this.#handler.onDataEnd((this.#flags & Flag.endStream) !== 0);
    }
    return position;
  }

  #continuePayload(chunk: Buffer, position: number, payload: Buffer): number {
    const taken = chunk.copy(payload, this.#payloadLength, position);
    this.#payloadLength += taken;
    if (this.#payloadLength === payload.length) {
      this.#payload = undefined;
      this.#handler.onFrame(this.#type, this.#flags, this.#streamId, payload);
    }
    return position + taken;
  }
}

function byte(bytes: Buffer, at: number): number {
  return bytes[at] ?? 0;
}
