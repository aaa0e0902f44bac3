/** gRPC over HTTP/2 prefixes each message with a compression flag and a length: 5 bytes. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const framePrefixBytes = 5;

/** Why a stream of frames cannot be read on. Low-cardinality: a metric label. */
export type FramingFault = "compressed" | "too-large" | "truncated";

export class FramingError extends Error {
  readonly fault: FramingFault;
  constructor(fault: FramingFault, message: string) {
    super(message);
    this.name = "FramingError";
    this.fault = fault;
  }
}

/**
 * Takes a run of whole frames: `events` of them, back to back in `run`. The bytes are valid only during the call: whoever
 * keeps them copies them.
 */
export type RunSink = (run: Buffer, events: number) => void;

/**
 * Cuts a byte stream into runs of whole gRPC frames: all that one chunk holds become one run without a copy; only a frame
 * that straddles chunks is put together in a buffer of its own.
 */
export class FrameCutter {
  readonly #maxMessageBytes: number;
  readonly #sink: RunSink;
  /** The start of a frame that is not complete yet: of its prefix, until that tells the frame's size. */
  #frame: Buffer | undefined;
  #filled = 0;

  constructor(options: { readonly maxMessageBytes: number }, sink: RunSink) {
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#sink = sink;
  }

  /** Bytes of an incomplete frame. */
  get pendingBytes(): number {
    return this.#frame === undefined ? 0 : this.#filled;
  }

  /** @throws {FramingError} for a compressed or too large message; what came before it has been handed on. */
  push(chunk: Buffer): void {
    const start = this.#completeFrame(chunk);
    let position = start;
    let events = 0;
    let wantedBytes = framePrefixBytes;
    let refusal: FramingError | undefined;
    while (position + framePrefixBytes <= chunk.length) {
      refusal = this.#refusal(chunk, position);
      if (refusal !== undefined) break;
      wantedBytes = frameBytes(chunk, position);
      if (position + wantedBytes > chunk.length) break;
      position += wantedBytes;
      events += 1;
      wantedBytes = framePrefixBytes;
    }
    if (events > 0) this.#sink(chunk.subarray(start, position), events);
    if (refusal !== undefined) throw refusal;
    if (position === chunk.length) return;
    this.#frame = Buffer.allocUnsafe(wantedBytes);
    this.#filled = chunk.copy(this.#frame, 0, position);
  }

  /** @throws {FramingError} when the stream ends inside a frame. */
  end(): void {
    if (this.pendingBytes > 0) {
      throw new FramingError("truncated", `Stream ended ${this.pendingBytes} bytes into a frame`);
    }
  }

  /** Fills the incomplete frame from the chunk's beginning and returns where the next one starts. */
  #completeFrame(chunk: Buffer): number {
    let position = 0;
    for (let frame = this.#frame; frame !== undefined; frame = this.#frame) {
      const copied = chunk.copy(frame, this.#filled, position);
      this.#filled += copied;
      position += copied;
      if (this.#filled < frame.length) break;
      const refusal = this.#refusal(frame, 0);
      if (refusal !== undefined) throw refusal;
      const wantedBytes = frameBytes(frame, 0);
      if (frame.length === wantedBytes) {
        this.#frame = undefined;
        this.#sink(frame, 1);
      } else {
        this.#frame = Buffer.allocUnsafe(wantedBytes);
        frame.copy(this.#frame);
      }
    }
    return position;
  }

  /** Why the frame at `position` is not taken; undefined = it is. */
  #refusal(bytes: Buffer, position: number): FramingError | undefined {
    const flag = bytes[position] ?? 0;
    const length = bytes.readUInt32BE(position + 1);
    if (flag !== 0) {
      return new FramingError("compressed", `Message with compression flag ${flag}, but no compression was offered`);
    }
    if (length > this.#maxMessageBytes) {
      return new FramingError("too-large", `Message of ${length} bytes, at most ${this.#maxMessageBytes} are taken`);
    }
    return undefined;
  }
}

/** The size of the frame whose prefix is at `position`. */
function frameBytes(bytes: Buffer, position: number): number {
  return framePrefixBytes + bytes.readUInt32BE(position + 1);
}

/** One message in its frame. */
export function encodeFrame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(framePrefixBytes + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, framePrefixBytes);
  return bytes;
}
