/** HTTP/2 frames on the wire, as far as an agent's faults and its ping police need them. Source: RFC 9113, 4.1 and 6. */
const headerBytes = 9;
const prefaceBytes = 24;

const frameType = { data: 0, headers: 1, ping: 6, goaway: 7 } as const;
const ackFlag = 1;

/** Error codes of GOAWAY that a gRPC server sends. */
export const goawayCodes = { noError: 0, internalError: 2, enhanceYourCalm: 11 } as const;

export interface Goaway {
  readonly code: number;
  /** Opaque text, e.g. `too_many_pings`. */
  readonly debug: string;
}

export function goawayFrame(goaway: Goaway): Buffer {
  const debug = Buffer.from(goaway.debug);
  const frame = Buffer.alloc(headerBytes + 8 + debug.length);
  frame.writeUIntBE(8 + debug.length, 0, 3);
  frame.writeUInt8(frameType.goaway, 3);
  // The highest stream id: what is open may finish, as in a graceful stop of grpc-go.
  frame.writeUInt32BE(0x7fffffff, headerBytes);
  frame.writeUInt32BE(goaway.code, headerBytes + 4);
  debug.copy(frame, headerBytes + 8);
  return frame;
}

/** Counts the PINGs (not their ACKs) in what a client sends, wherever chunks are cut. */
export class PingScanner {
  #skip = prefaceBytes;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;

  /** The PINGs whose header ends in this chunk. */
  scan(chunk: Buffer): number {
    let pings = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const copied = chunk.copy(this.#header, this.#headerFilled, at, at + headerBytes - this.#headerFilled);
      this.#headerFilled += copied;
      at += copied;
      if (this.#headerFilled < headerBytes) break;
      this.#headerFilled = 0;
      this.#skip = this.#header.readUIntBE(0, 3);
      if (this.#header[3] === frameType.ping && ((this.#header[4] ?? 0) & ackFlag) === 0) pings += 1;
    }
    return pings;
  }
}

/** Whether a run of whole frames holds HEADERS or DATA. */
export function carriesResponse(frames: Buffer): boolean {
  for (const { type } of walk(frames)) if (type === frameType.data || type === frameType.headers) return true;
  return false;
}

/** How a gRPC message prefix can be wrong: a flag that does not exist, or a length of 4 GiB. */
export type PrefixFault = "flag" | "length";

/**
 * A copy of a run of whole frames in which the first gRPC message prefix is broken; undefined when none starts a DATA
 * frame in it.
 */
export function breakPrefix(frames: Buffer, fault: PrefixFault): Buffer | undefined {
  for (const { type, start, length } of walk(frames)) {
    if (type !== frameType.data || length < 5 || frames[start] !== 0) continue;
    const broken = Buffer.from(frames);
    if (fault === "flag") broken[start] = 0xff;
    else broken.writeUInt32BE(0xffffffff, start + 1);
    return broken;
  }
  return undefined;
}

interface Frame {
  readonly type: number;
  /** Of the payload. */
  readonly start: number;
  readonly length: number;
}

function* walk(frames: Buffer): Generator<Frame> {
  let at = 0;
  while (at + headerBytes <= frames.length) {
    const length = frames.readUIntBE(at, 3);
    yield { type: frames.readUInt8(at + 3), start: at + headerBytes, length };
    at += headerBytes + length;
  }
}
