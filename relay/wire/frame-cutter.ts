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

/** Takes a run of whole frames: `events` of them, back to back in `run`, which is shared with the chunk it was cut from. */
export type RunSink = (run: Buffer, events: number) => void;

/**
 * Cuts a byte stream into runs of whole gRPC frames: all that one chunk holds become one run without a copy; only a frame
 * that straddles chunks is put together in a buffer of its own.
 */
export class FrameCutter {
  readonly #maxMessageBytes: number;
  readonly #sink: RunSink;
  /** The start of a frame that is not complete yet: first its prefix, then a buffer of the whole frame's size. */
  readonly #prefix = Buffer.alloc(framePrefixBytes);
  #prefixLength = 0;
  #frame: Buffer | undefined;
  #frameLength = 0;

  constructor(options: { readonly maxMessageBytes: number }, sink: RunSink) {
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#sink = sink;
  }

  /** Bytes of an incomplete frame. */
  get pendingBytes(): number {
    return this.#frame === undefined ? this.#prefixLength : this.#frameLength;
  }

  /** @throws {FramingError} for a compressed or too large message; what came before it has been handed on. */
  push(chunk: Buffer): void {
    const start = this.pendingBytes === 0 ? 0 : this.#completePending(chunk);
    let position = start;
    let events = 0;
    while (position + framePrefixBytes <= chunk.length) {
      const flag = chunk[position] ?? 0;
      const length = chunk.readUInt32BE(position + 1);
      if (flag !== 0 || length > this.#maxMessageBytes) {
        if (events > 0) this.#sink(chunk.subarray(start, position), events);
        throw refusal(flag, length, this.#maxMessageBytes);
      }
      const end = position + framePrefixBytes + length;
      if (end > chunk.length) break;
      position = end;
      events += 1;
    }
    if (events > 0)
      this.#sink(position === chunk.length && start === 0 ? chunk : chunk.subarray(start, position), events);
    if (position < chunk.length) this.#keep(chunk, position);
  }

  /** @throws {FramingError} when the stream ends inside a frame. */
  end(): void {
    if (this.pendingBytes > 0) {
      throw new FramingError("truncated", `Stream ended ${this.pendingBytes} bytes into a frame`);
    }
  }

  /** Fills the pending frame from the chunk's beginning and returns where the next frame starts. */
  #completePending(chunk: Buffer): number {
    let position = 0;
    if (this.#frame === undefined) {
      position = chunk.copy(this.#prefix, this.#prefixLength, 0);
      this.#prefixLength += position;
      if (this.#prefixLength < framePrefixBytes) return position;
      this.#allocateFrame();
    }
    const frame = this.#frame;
    if (frame === undefined) return position;
    const copied = chunk.copy(frame, this.#frameLength, position);
    this.#frameLength += copied;
    position += copied;
    if (this.#frameLength === frame.length) {
      this.#frame = undefined;
      this.#frameLength = 0;
      this.#sink(frame, 1);
    }
    return position;
  }

  /** Keeps the incomplete frame at the chunk's end. */
  #keep(chunk: Buffer, position: number): void {
    this.#prefixLength = chunk.copy(this.#prefix, 0, position);
    if (this.#prefixLength < framePrefixBytes) return;
    this.#allocateFrame();
    if (this.#frame !== undefined)
      this.#frameLength += chunk.copy(this.#frame, framePrefixBytes, position + framePrefixBytes);
  }

  #allocateFrame(): void {
    const flag = this.#prefix[0] ?? 0;
    const length = this.#prefix.readUInt32BE(1);
    if (flag !== 0 || length > this.#maxMessageBytes) throw refusal(flag, length, this.#maxMessageBytes);
    const frame = Buffer.allocUnsafe(framePrefixBytes + length);
    this.#prefix.copy(frame, 0);
    this.#frame = frame;
    this.#frameLength = framePrefixBytes;
    this.#prefixLength = 0;
  }
}

function refusal(flag: number, length: number, maxMessageBytes: number): FramingError {
  return flag === 0
    ? new FramingError("too-large", `Message of ${length} bytes, at most ${maxMessageBytes} are taken`)
    : new FramingError("compressed", `Message with compression flag ${flag}, but no compression was offered`);
}

/** One message in its frame. */
export function encodeFrame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(framePrefixBytes + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, framePrefixBytes);
  return bytes;
}
