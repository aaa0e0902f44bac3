import type { Clock } from "../../lib/process/clock.ts";
import { ClientStream, type ResponseHandler } from "./client-stream.ts";
import {
  checkPing,
  checkPriority,
  checkSettings,
  readGoaway,
  readReset,
  readWindowUpdate,
  type Goaway,
} from "./control-frames.ts";
import { DataRuns } from "./data-runs.ts";
import { ConnectionError, ErrorCode, StreamError } from "./errors.ts";
import { FloodGuard, oversizeListFrames, strayBlockFrames } from "./flood-guard.ts";
import {
  clientPreface,
  encodeFrame,
  encodeGoaway,
  encodeRstStream,
  encodeWindowUpdate,
  Flag,
  FrameType,
  maxStreamId,
  maxWindowBytes,
} from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { type HeaderBlock, HeaderBlockReader } from "./header-block.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { encodeFields } from "./hpack-encoder.ts";
import type { Field } from "./hpack-static-table.ts";
import { Outbox } from "./outbox.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { applySettings, encodeSettings, initialPeerSettings, Setting } from "./settings.ts";

export interface ConnectionOptions {
  /** Receive windows, in bytes, of 64 KiB at least. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** What the header fields of one block may count. */
  readonly maxHeaderListBytes: number;
  /** What may wait to be written: a peer that sends what wants an answer and takes none has to be left. */
  readonly maxQueuedBytes: number;
}

export interface ConnectionEvents {
  /** Writes to the peer, and returns how many bytes are waiting now because the peer has not taken them. */
  readonly write: (bytes: Buffer) => number;
  /** The peer announced that it ends the connection. It lives on until its last stream has ended. */
  readonly onGoaway: (code: number) => void;
  /** It is over, not by `close`. Everything was said to the peer: the socket is of no more use. */
  readonly onOver: (reason: Error) => void;
}

/** What the window of the connection is before the first update of it. */
const initialWindowBytes = 65_535;

/**
 * The client's side of an HTTP/2 connection without a socket: takes what comes from the peer and says what to write to it.
 * https://www.rfc-editor.org/rfc/rfc9113
 */
export class ClientConnection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #reader: FrameReader;
  readonly #blocks = new HeaderBlockReader();
  readonly #decoder: HpackDecoder;
  readonly #window: ReceiveWindow;
  readonly #runs = new DataRuns<ClientStream>((stream, bytes) => this.#onRun(stream, bytes));
  readonly #streams = new Map<number, ClientStream>();
  #nextId = 1;
  #peer = initialPeerSettings;
  #sendWindow = initialWindowBytes;
  #isGreeted = false;
  /** The last of our streams that the peer takes. */
  #lastTakenId = maxStreamId;
  #isGoingAway = false;
  #over: Error | undefined;
  /** The stream of the DATA frame being read; undefined = it is closed, and the data is dropped. */
  #dataStream: ClientStream | undefined;
  readonly #outbox: Outbox;
  readonly #flood: FloodGuard;
  /** What is written meanwhile leaves when the chunk is done with. */
  #isReceiving = false;

  constructor(options: ConnectionOptions, events: ConnectionEvents, clock: Pick<Clock, "monotonic">) {
    this.#options = options;
    this.#events = events;
    this.#decoder = new HpackDecoder({ maxListBytes: options.maxHeaderListBytes });
    this.#window = new ReceiveWindow(options.connectionWindowBytes);
    this.#outbox = new Outbox((bytes) => events.write(bytes));
    this.#flood = new FloodGuard(clock);
    this.#reader = new FrameReader({
      onFrame: (type, flags, streamId, payload) => this.#onFrame(type, flags, streamId, payload),
      onDataStart: (streamId, length) => this.#onDataStart(streamId, length),
      onData: (chunk, start, end) => {
        if (this.#dataStream?.isOpen) this.#runs.add(this.#dataStream, chunk, start, end);
      },
      onDataEnd: (isEndOfStream) => {
        if (isEndOfStream) this.#onEndOfStream(this.#dataStream);
      },
    });
  }

  /** Greets the peer. Requests may follow at once. */
  start(): void {
    const { streamWindowBytes, connectionWindowBytes, maxHeaderListBytes } = this.#options;
    const settings = encodeSettings([
      [Setting.enablePush, 0],
      [Setting.initialWindowSize, streamWindowBytes],
      [Setting.maxHeaderListSize, maxHeaderListBytes],
    ]);
    this.#send(
      Buffer.concat([
        clientPreface,
        encodeFrame(FrameType.settings, 0, 0, settings),
        encodeWindowUpdate(0, connectionWindowBytes - initialWindowBytes),
      ]),
    );
  }

  /** Whether it will ever take a request again. */
  get isUsable(): boolean {
    return this.#over === undefined && !this.#isGoingAway && this.#nextId <= maxStreamId;
  }

  /** Why it takes no request now; undefined = it does. */
  get refusal(): string | undefined {
    if (this.#over !== undefined) return "The connection is closed";
    if (!this.isUsable) return "The connection is being closed";
    const { maxConcurrentStreams } = this.#peer;
    return this.#streams.size < maxConcurrentStreams ? undefined : `At most ${maxConcurrentStreams} streams are taken`;
  }

  /**
   * Makes a request, which may be done only without a `refusal`. A peer that takes nothing is left at once: the handler may
   * be told of the stream's close before this returns.
   */
  request(fields: readonly Field[], body: Buffer, handler: ResponseHandler): ClientStream {
    const windows = { receive: this.#options.streamWindowBytes, send: this.#peer.initialWindowBytes };
    const stream = new ClientStream(this.#nextId, body, windows, handler);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    const flags = Flag.endHeaders | (stream.isSent ? Flag.endStream : 0);
    this.#outbox.add(encodeFrame(FrameType.headers, flags, stream.id, encodeFields(fields)));
    this.#sendData();
    this.#flush();
    return stream;
  }

  /** Gives a stream up. Free when it has closed. */
  cancel(stream: ClientStream): void {
    if (!this.#remove(stream)) return;
    this.#send(encodeRstStream(stream.id, ErrorCode.CANCEL));
    stream.close({ kind: "cancelled" });
    this.#endIfDone();
  }

  /** Takes what came from the peer. The chunk is changed: what it holds of streams is moved together. */
  receive(chunk: Buffer): void {
    if (this.#over !== undefined) return;
    this.#isReceiving = true;
    try {
      const violation = this.#read(chunk);
      // What came before a violation came all the same.
      this.#runs.flush();
      if (violation !== undefined) this.#fail(violation);
    } finally {
      this.#isReceiving = false;
    }
    this.#flush();
  }

  /** Ends every stream and says goodbye. `onOver` is not called. */
  close(reason: Error): void {
    if (this.#over !== undefined) return;
    this.#send(encodeGoaway(ErrorCode.NO_ERROR, ""));
    this.#end(reason);
  }

  #read(chunk: Buffer): ConnectionError | undefined {
    try {
      this.#reader.push(chunk);
      return undefined;
    } catch (error) {
      if (error instanceof ConnectionError) return error;
      throw error;
    }
  }

  #fail(error: ConnectionError): void {
    if (this.#over !== undefined) return;
    this.#outbox.add(encodeGoaway(error.code, error.message));
    this.#outbox.flush();
    this.#end(error);
    this.#events.onOver(error);
  }

  #end(reason: Error): void {
    this.#over = reason;
    this.#reader.stop();
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.#dataStream = undefined;
    for (const stream of streams) stream.close({ kind: "lost", reason });
  }

  /** A peer that announced the end and has nothing open any more is left: it may wait for that. */
  #endIfDone(): void {
    if (!this.#isGoingAway || this.#streams.size > 0 || this.#over !== undefined) return;
    const reason = new Error("The other side ended the connection");
    this.close(reason);
    this.#events.onOver(reason);
  }

  #send(bytes: Buffer): void {
    this.#outbox.add(bytes);
    if (!this.#isReceiving) this.#flush();
  }

  #flush(): void {
    if (this.#isReceiving) return;
    const queuedBytes = this.#outbox.flush();
    if (queuedBytes > this.#options.maxQueuedBytes) {
      this.#fail(new ConnectionError("ENHANCE_YOUR_CALM", `${queuedBytes} bytes of answers that are not taken`));
    }
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    this.#runs.flush();
    this.#flood.takeFrames();
    this.#expect(type, streamId, type === FrameType.settings && (flags & Flag.ack) === 0);
    switch (type) {
      case FrameType.headers:
        this.#requireOpened(type, streamId);
        this.#flood.takeHeaderBytes(payload.length);
        this.#onBlock(this.#blocks.headers(flags, streamId, payload));
        break;
      case FrameType.continuation:
        this.#flood.takeHeaderBytes(payload.length);
        this.#onBlock(this.#blocks.continuation(flags, payload));
        break;
      case FrameType.priority:
        checkPriority(streamId, payload);
        break;
      case FrameType.rstStream:
        this.#requireOpened(type, streamId);
        this.#onReset(streamId, readReset(payload));
        break;
      case FrameType.settings:
        checkSettings(streamId, (flags & Flag.ack) !== 0, payload);
        if ((flags & Flag.ack) === 0) this.#onSettings(payload);
        break;
      case FrameType.pushPromise:
        throw new ConnectionError("PROTOCOL_ERROR", "PUSH_PROMISE frame, but pushing is off");
      case FrameType.ping:
        checkPing(streamId, payload);
        if ((flags & Flag.ack) === 0) this.#send(encodeFrame(FrameType.ping, Flag.ack, 0, payload));
        break;
      case FrameType.goaway:
        this.#onGoaway(readGoaway(streamId, payload));
        break;
      case FrameType.windowUpdate:
        this.#onWindowUpdate(streamId, readWindowUpdate(payload));
        break;
      default:
      // What is not known is ignored: https://www.rfc-editor.org/rfc/rfc9113#section-5.5
    }
  }

  /** What may come now, whatever the frame. */
  #expect(type: number, streamId: number, isGreeting: boolean): void {
    if (!this.#isGreeted && !isGreeting) {
      throw new ConnectionError("PROTOCOL_ERROR", `First frame is of type ${type} and not SETTINGS`);
    }
    this.#blocks.expect(type, streamId);
  }

  #requireOpened(type: number, streamId: number): void {
    if (streamId % 2 === 1 && streamId < this.#nextId) return;
    throw new ConnectionError("PROTOCOL_ERROR", `Frame of type ${type} on stream ${streamId}, which is not open`);
  }

  #onDataStart(streamId: number, length: number): void {
    this.#expect(FrameType.data, streamId, false);
    this.#requireOpened(FrameType.data, streamId);
    if (length === 0) this.#flood.takeFrames();
    const increment = this.#window.take(length);
    if (increment > 0) this.#send(encodeWindowUpdate(0, increment));
    const stream = this.#dataStream?.id === streamId ? this.#dataStream : this.#streams.get(streamId);
    this.#dataStream = stream;
    if (!stream?.isOpen) return;
    try {
      const update = stream.onDataStart(length);
      if (update !== undefined) this.#send(update);
    } catch (error) {
      this.#failStream(stream, error);
    }
  }

  #onRun(stream: ClientStream, bytes: Buffer): void {
    if (!stream.isOpen) return;
    try {
      stream.onData(bytes);
    } catch (error) {
      this.#failStream(stream, error);
    }
  }

  #onEndOfStream(stream: ClientStream | undefined): void {
    this.#runs.flush();
    if (!stream?.isOpen) return;
    try {
      stream.onEndOfStream();
      this.#complete(stream);
    } catch (error) {
      this.#failStream(stream, error);
    }
  }

  #onBlock(block: HeaderBlock | undefined): void {
    if (block === undefined) return;
    // Even that of a stream that is closed: later blocks depend on it.
    const fields = this.#decoder.decode(block.bytes);
    const stream = this.#streams.get(block.streamId);
    if (fields === undefined) this.#flood.takeFrames(oversizeListFrames);
    if (stream === undefined) {
      this.#flood.takeFrames(strayBlockFrames);
      return;
    }
    try {
      if (fields === undefined) throw new StreamError("ENHANCE_YOUR_CALM", "Response with too many header fields");
      if (stream.onFields(fields, block.isEndOfStream)) this.#complete(stream);
    } catch (error) {
      this.#failStream(stream, error);
    }
  }

  #complete(stream: ClientStream): void {
    if (!this.#remove(stream)) return;
    // The peer does not want the rest of the request.
    if (!stream.isSent) this.#send(encodeRstStream(stream.id, ErrorCode.CANCEL));
    stream.close({ kind: "complete" });
    this.#endIfDone();
  }

  #onReset(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined || !this.#remove(stream)) return;
    stream.close({ kind: "reset", code });
    this.#endIfDone();
  }

  #onSettings(payload: Buffer): void {
    this.#isGreeted = true;
    const before = this.#peer.initialWindowBytes;
    this.#peer = applySettings(this.#peer, payload);
    const change = this.#peer.initialWindowBytes - before;
    for (const stream of this.#streams.values()) stream.adjust(change);
    this.#send(encodeFrame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0)));
    this.#sendData();
  }

  #onGoaway({ lastTakenId, code }: Goaway): void {
    if (lastTakenId > this.#lastTakenId) {
      throw new ConnectionError("PROTOCOL_ERROR", `GOAWAY that takes stream ${lastTakenId} back`);
    }
    this.#lastTakenId = lastTakenId;
    this.#isGoingAway = true;
    for (const stream of this.#streams.values()) {
      if (stream.id > lastTakenId && this.#remove(stream)) stream.close({ kind: "unprocessed" });
    }
    this.#events.onGoaway(code);
    this.#endIfDone();
  }

  #onWindowUpdate(streamId: number, incrementBytes: number): void {
    if (streamId === 0) {
      if (incrementBytes === 0) throw new ConnectionError("PROTOCOL_ERROR", "WINDOW_UPDATE of 0");
      this.#sendWindow += incrementBytes;
      if (this.#sendWindow > maxWindowBytes) {
        throw new ConnectionError("FLOW_CONTROL_ERROR", "Send window of more than 2^31 - 1");
      }
    } else {
      this.#requireOpened(FrameType.windowUpdate, streamId);
      const stream = this.#streams.get(streamId);
      if (stream === undefined) return;
      try {
        if (incrementBytes === 0) throw new StreamError("PROTOCOL_ERROR", "WINDOW_UPDATE of 0");
        stream.widen(incrementBytes);
      } catch (error) {
        this.#failStream(stream, error);
      }
    }
    this.#sendData();
  }

  /** Sends what the windows allow of requests that are not sent yet. */
  #sendData(): void {
    for (const stream of this.#streams.values()) {
      for (let data = stream.nextData(this.#sendWindow); data !== undefined; data = stream.nextData(this.#sendWindow)) {
        this.#sendWindow -= data.length;
        this.#outbox.add(data.frame);
      }
    }
    this.#flush();
  }

  /** @throws what is no error of the stream's */
  #failStream(stream: ClientStream, error: unknown): void {
    if (!(error instanceof StreamError)) throw error;
    if (!this.#remove(stream)) return;
    this.#send(encodeRstStream(stream.id, error.code));
    stream.close({ kind: "failed", error });
    this.#endIfDone();
  }

  /** Returns whether it was there. */
  #remove(stream: ClientStream): boolean {
    // It holds what its handler does, of an event that is not complete up to 4 MiB.
    if (this.#dataStream === stream) this.#dataStream = undefined;
    return this.#streams.delete(stream.id);
  }
}
