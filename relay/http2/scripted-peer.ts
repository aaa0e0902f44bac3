import { FakeClock } from "../../lib/process/fake-clock.ts";
import { ClientConnection, type ConnectionOptions } from "./client-connection.ts";
import type { ClientStream } from "./client-stream.ts";
import { errorCodeText } from "./errors.ts";
import { clientPreface, encodeFrame, Flag, FrameType, frameHeaderBytes } from "./frame.ts";
import { encodeFields } from "./hpack-encoder.ts";
import type { Field } from "./hpack-static-table.ts";

/** A frame that the client wrote. */
export interface WrittenFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const scriptedOptions: ConnectionOptions = {
  streamWindowBytes: 1 << 20,
  connectionWindowBytes: 3 << 20,
  maxHeaderListBytes: 4_096,
  maxQueuedBytes: 1_000,
};

/** For tests: the server's side of a connection, which says what the test wants and keeps what the client writes. */
export class ScriptedPeer {
  readonly connection: ClientConnection;
  readonly clock = new FakeClock();
  /** Greetings included. */
  readonly written: WrittenFrame[] = [];
  readonly goaways: number[] = [];
  /** What each stream was told, by its id. */
  readonly told = new Map<number, string[]>();
  over: Error | undefined;
  /** What the client is told to be waiting, because the peer takes nothing. */
  queuedBytes = 0;
  #hasPreface = false;

  constructor(options: Partial<ConnectionOptions> = {}) {
    this.connection = new ClientConnection(
      { ...scriptedOptions, ...options },
      {
        write: (bytes) => {
          this.#take(bytes);
          return this.queuedBytes;
        },
        onGoaway: (code) => this.goaways.push(code),
        onOver: (reason) => {
          this.over = reason;
        },
      },
      this.clock,
    );
    this.connection.start();
  }

  /** A request on the next stream. What it is told can be read in `told`. */
  request(body: Buffer = Buffer.from("body")): ClientStream {
    const story: string[] = [];
    const stream = this.connection.request([[":method", "POST"]], body, {
      onHead: (head) => story.push(`head ${[...head].flat().join(" ")}`),
      onData: (bytes) => {
        const content = bytes.toString("hex");
        // However it was cut.
        if (story.at(-1)?.startsWith("data ")) story.push(`${story.pop()}${content}`);
        else story.push(`data ${content}`);
      },
      onTrailers: (trailers) => story.push(`trailers ${[...trailers].flat().join(" ")}`),
      onClose: (close) => {
        switch (close.kind) {
          case "reset":
            story.push(`reset ${errorCodeText(close.code)}`);
            break;
          case "failed":
            story.push(`failed ${errorCodeText(close.error.code)}`);
            break;
          default:
            story.push(close.kind);
        }
      },
    });
    this.told.set(stream.id, story);
    return stream;
  }

  /** Says bytes, in as many pieces as there are cuts and one more. They lie in a buffer that is used again, as a link's do. */
  say(bytes: Buffer, cuts: readonly number[] = []): void {
    const positions = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
    for (const [index, end] of positions.slice(1).entries()) {
      const chunk = Buffer.from(bytes.subarray(positions[index], end));
      this.connection.receive(chunk);
      chunk.fill(0xff);
    }
  }

  /** The code that the client gave for ending the connection; undefined = it did not. */
  get goawayCode(): number | undefined {
    return this.written.find(({ type }) => type === FrameType.goaway)?.payload.readUInt32BE(4);
  }

  /** The code that the client reset a stream with; undefined = it did not. */
  resetCode(streamId: number): number | undefined {
    return this.written
      .find((frame) => frame.type === FrameType.rstStream && frame.streamId === streamId)
      ?.payload.readUInt32BE();
  }

  #take(bytes: Buffer): void {
    let position = this.#hasPreface ? 0 : clientPreface.length;
    this.#hasPreface = true;
    while (position < bytes.length) {
      const start = position + frameHeaderBytes;
      const end = start + bytes.readUIntBE(position, 3);
      const type = bytes.readUInt8(position + 3);
      const flags = bytes.readUInt8(position + 4);
      const streamId = bytes.readUInt32BE(position + 5);
      this.written.push({ type, flags, streamId, payload: bytes.subarray(start, end) });
      position = end;
    }
  }
}

/** What a server says first. */
export const greeting = encodeFrame(FrameType.settings, 0, 0, Buffer.alloc(0));

export const okHead: readonly Field[] = [[":status", "200"]];

export function headers(streamId: number, fields: readonly Field[], flags: number = Flag.endHeaders): Buffer {
  return encodeFrame(FrameType.headers, flags, streamId, encodeFields(fields));
}

export function data(streamId: number, content: Uint8Array, flags = 0): Buffer {
  return encodeFrame(FrameType.data, flags, streamId, content);
}
