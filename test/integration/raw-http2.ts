import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** An HTTP/2 frame as it is on the wire. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const headerBytes = 9;
/** SETTINGS_INITIAL_WINDOW_SIZE. */
const settingInitialWindowSize = 4;

/** A side of a connection that sends the frames it is told to and no others: it answers neither SETTINGS nor PING. */
export class RawConnection implements Disposable {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<unknown>;
  #received = Buffer.alloc(0);
  #prefaceBytes: number;
  /** Whoever waits for a frame, and whoever answers them. */
  readonly #listeners = new Set<(frame: Frame) => void>();

  private constructor(socket: Socket, prefaceBytes: number) {
    this.socket = socket;
    this.#prefaceBytes = prefaceBytes;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    // A reset is one of the ways a server ends a connection.
    socket.on("error", () => {});
    socket.on("data", (chunk) => this.#receive(chunk));
  }

  /** Connects; `host` chooses the address family. Speaks HTTP/2 only after `greet()`. */
  static async connect(
    port: number,
    host = "127.0.0.1",
    { allowHalfOpen = false }: { readonly allowHalfOpen?: boolean } = {},
  ): Promise<RawConnection> {
    const socket = connect({ port, host, allowHalfOpen });
    await once(socket, "connect");
    return new RawConnection(socket, 0);
  }

  /** The server's side of a connection. */
  static accepted(socket: Socket): RawConnection {
    return new RawConnection(socket, preface.length);
  }

  /** @param windowBytes how much of a response the server may send before `takeMore`. Default: what HTTP/2 starts with. */
  greet(windowBytes = 65_535): this {
    this.socket.write(preface);
    const payload = Buffer.alloc(6);
    payload.writeUInt16BE(settingInitialWindowSize);
    payload.writeUInt32BE(windowBytes, 2);
    return this.send({ type: frameType.settings, flags: 0, streamId: 0, payload });
  }

  /** Lets the server send that much more of a response. */
  takeMore(streamId: number, bytes: number): this {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    return this.send({ type: frameType.windowUpdate, flags: 0, streamId, payload });
  }

  send({ type, flags, streamId, payload }: Frame): this {
    const header = Buffer.alloc(headerBytes);
    header.writeUIntBE(payload.length, 0, 3);
    header.writeUInt8(type, 3);
    header.writeUInt8(flags, 4);
    header.writeUInt32BE(streamId, 5);
    this.socket.write(Buffer.concat([header, payload]));
    return this;
  }

  /** Opens a stream with a gRPC call's headers. */
  call(streamId: number, path: string, endStream = false, headers: Readonly<Record<string, string>> = {}): this {
    const fields = {
      ":method": "POST",
      ":scheme": "http",
      ":path": path,
      ":authority": "relay",
      "content-type": "application/grpc",
      ...headers,
    };
    return this.headers(streamId, fields, endStream);
  }

  headers(streamId: number, fields: Readonly<Record<string, string>>, endStream = false): this {
    const flags = flag.endHeaders | (endStream ? flag.endStream : 0);
    return this.send({ type: frameType.headers, flags, streamId, payload: hpack(fields) });
  }

  data(streamId: number, payload: Buffer, endStream = false): this {
    return this.send({ type: frameType.data, flags: endStream ? flag.endStream : 0, streamId, payload });
  }

  /** Cancels a call. */
  reset(streamId: number): this {
    return this.send({ type: frameType.rstStream, flags: 0, streamId, payload: Buffer.from([0, 0, 0, 8]) });
  }

  /** A frame of the connection as a whole. */
  control(type: number, flags: number, payload: Buffer = Buffer.alloc(0)): this {
    return this.send({ type, flags, streamId: 0, payload });
  }

  /** Resolves when the server has read everything that was sent. */
  async roundTrip(streamId: number): Promise<void> {
    this.call(streamId, "/test/Nope", true);
    await this.frame((frame) => frame.streamId === streamId);
  }

  /** Calls back for every frame from now on. */
  onFrame(listener: (frame: Frame) => void): this {
    this.#listeners.add(listener);
    return this;
  }

  /** Resolves with the first frame, of those received and those to come, that fits. */
  async frame(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found !== undefined) return found;
      if (!(await Promise.race([this.#nextFrame(), this.closed.then(() => false)]))) {
        throw new Error(`The connection closed after ${this.frames.length} frames, none of them the wanted one`);
      }
    }
  }

  #nextFrame(): Promise<boolean> {
    return new Promise((resolve) => {
      const listener = () => {
        this.#listeners.delete(listener);
        resolve(true);
      };
      this.#listeners.add(listener);
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const skipped = Math.min(this.#prefaceBytes, this.#received.length);
    this.#prefaceBytes -= skipped;
    this.#received = this.#received.subarray(skipped);
    while (this.#received.length >= headerBytes) {
      const end = headerBytes + this.#received.readUIntBE(0, 3);
      if (this.#received.length < end) return;
      const frame = {
        type: this.#received.readUInt8(3),
        flags: this.#received.readUInt8(4),
        streamId: this.#received.readUInt32BE(5),
        payload: this.#received.subarray(headerBytes, end),
      };
      this.frames.push(frame);
      this.#received = this.#received.subarray(end);
      for (const listener of this.#listeners) listener(frame);
    }
  }
}

/** Header fields as HPACK literals without indexing or Huffman codes: for names and values under 127 bytes. */
export function hpack(fields: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value));
  }
  return Buffer.concat(parts);
}
