import { ConnectionError, StreamError } from "./errors.ts";
import { encodeFrame, encodeWindowUpdate, Flag, FrameType, maxFrameBytes, maxWindowBytes } from "./frame.ts";
import type { Field } from "./hpack-static-table.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { contentLength, type FieldMap, malformed, readHead, readTrailers } from "./response-fields.ts";

const nothing = Buffer.alloc(0);

/** How a stream ended. */
export type StreamClose =
  /** The response is complete. */
  | { readonly kind: "complete" }
  | { readonly kind: "reset"; readonly code: number }
  /** The peer never looked at the request: it may be made again. */
  | { readonly kind: "unprocessed" }
  | { readonly kind: "failed"; readonly error: StreamError }
  | { readonly kind: "cancelled" }
  /** The connection is over. */
  | { readonly kind: "lost"; readonly reason: Error };

/** Takes a response. Any of its functions may reset the stream. */
export interface ResponseHandler {
  /** Once, unless the stream closes before. Interim responses (1xx) are not handed on. `isEnd` = nothing comes behind it. */
  readonly onHead: (fields: FieldMap, isEnd: boolean) => void;
  /** Valid only during the call. */
  readonly onData: (bytes: Buffer) => void;
  readonly onTrailers: (fields: FieldMap) => void;
  /** Last, and once. */
  readonly onClose: (close: StreamClose) => void;
}

/** One request and its response, as far as a stream can tell without its connection. */
export class ClientStream {
  readonly id: number;
  readonly #handler: ResponseHandler;
  readonly #window: ReceiveWindow;
  /** What the peer lets us send; a change of its settings can make it negative. */
  #sendWindow: number;
  #unsent: Buffer;
  #phase: "head" | "body" | "closed" = "head";
  /** What the body still has to bring; undefined = its length was not announced. */
  #bodyLeft: number | undefined;

  constructor(
    id: number,
    body: Buffer,
    windows: { readonly receive: number; readonly send: number },
    handler: ResponseHandler,
  ) {
    this.id = id;
    this.#unsent = body;
    this.#window = new ReceiveWindow(windows.receive);
    this.#sendWindow = windows.send;
    this.#handler = handler;
  }

  get isOpen(): boolean {
    return this.#phase !== "closed";
  }

  /** Whether the request was sent to its end. */
  get isSent(): boolean {
    return this.#unsent.length === 0;
  }

  /** Takes a header block. Returns whether the response is complete. @throws {StreamError} */
  onFields(fields: readonly Field[], isEndOfStream: boolean): boolean {
    if (this.#phase === "body") {
      if (!isEndOfStream) throw malformed("trailers that are not the end");
      this.#handler.onTrailers(readTrailers(fields));
    } else {
      const head = readHead(fields);
      if (head.get(":status")?.startsWith("1")) {
        if (isEndOfStream) throw malformed("an interim one is the end");
        return false;
      }
      this.#bodyLeft = contentLength(head);
      this.#phase = "body";
      this.#handler.onHead(head, isEndOfStream);
    }
    if (isEndOfStream) this.onEndOfStream();
    return isEndOfStream;
  }

  /** Takes the length of a DATA frame, padding included, and returns the frame that opens the window again, if one is due. @throws {StreamError} */
  onDataStart(length: number): Buffer | undefined {
    if (this.#phase === "head") throw malformed("a body without a head");
    const increment = this.#window.take(length);
    return increment === 0 ? undefined : encodeWindowUpdate(this.id, increment);
  }

  /** @throws {StreamError} */
  onData(bytes: Buffer): void {
    if (this.#bodyLeft !== undefined) {
      this.#bodyLeft -= bytes.length;
      if (this.#bodyLeft < 0) throw malformed("more than its content-length");
    }
    this.#handler.onData(bytes);
  }

  /** @throws {StreamError} */
  onEndOfStream(): void {
    if (this.isOpen && (this.#bodyLeft ?? 0) > 0) throw malformed("less than its content-length");
  }

  /** The peer lets us send more. @throws {StreamError} */
  widen(incrementBytes: number): void {
    this.#sendWindow += incrementBytes;
    if (this.#sendWindow > maxWindowBytes)
      throw new StreamError("FLOW_CONTROL_ERROR", "Send window of more than 2^31 - 1");
  }

  /** The peer changed the window of every stream. @throws {ConnectionError} */
  adjust(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow > maxWindowBytes) {
      throw new ConnectionError("FLOW_CONTROL_ERROR", "Settings that widen a send window to more than 2^31 - 1");
    }
  }

  /** The next DATA frame that the windows allow, and how much it takes of them; undefined = none. */
  nextData(connectionWindow: number): { readonly frame: Buffer; readonly length: number } | undefined {
    const length = Math.min(this.#unsent.length, this.#sendWindow, connectionWindow, maxFrameBytes);
    if (length <= 0 || !this.isOpen) return undefined;
    const content = this.#unsent.subarray(0, length);
    // An empty piece would still hold the memory that the body lies in.
    this.#unsent = length === this.#unsent.length ? nothing : this.#unsent.subarray(length);
    this.#sendWindow -= length;
    return { frame: encodeFrame(FrameType.data, this.isSent ? Flag.endStream : 0, this.id, content), length };
  }

  close(close: StreamClose): void {
    if (!this.isOpen) return;
    this.#phase = "closed";
    this.#handler.onClose(close);
  }
}
