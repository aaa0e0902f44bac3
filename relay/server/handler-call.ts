import type { IncomingHttpHeaders } from "node:http2";
import { Duplex } from "node:stream";
import { type Deadline, Metadata, type ServerMethodDefinition } from "@grpc/grpc-js";
import { errorText } from "../../lib/process/log.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import type { Call, CallDeps } from "./call.ts";
import { MessageReader } from "./message-reader.ts";
import { requestTimeoutMs } from "./request.ts";
import { Code, ok, respondWithTrailers, type Status, StatusError } from "./status.ts";

/**
 * A call as grpc-js handlers know it, of all four kinds at once: what they read from it are requests, what they write to it
 * are responses, `request` is the only request where there is one. It emits "cancelled" when nobody waits for it any more,
 * and an "error" emitted on it by the handler ends it with that status.
 *
 * Handlers need not mind how fast their client reads: they get the next request once it has taken the answers so far.
 */
export class HandlerCall extends Duplex {
  request: unknown;
  cancelled = false;
  readonly metadata: Metadata;
  readonly #call: Call;
  readonly #host: string;
  readonly #definition: ServerMethodDefinition<unknown, unknown>;
  readonly #deps: CallDeps;
  /** How the call ends, once it does. */
  #outcome: { readonly status: Status; readonly trailers: Metadata | undefined } = { status: ok, trailers: undefined };
  #hasEnded = false;
  /** Of a client stream. */
  readonly #reader: MessageReader;
  #isRequestOver = false;
  #isRequestWanted = false;
  #stopTimer: (() => void) | undefined;

  constructor(
    call: Call,
    headers: IncomingHttpHeaders,
    definition: ServerMethodDefinition<unknown, unknown>,
    deps: CallDeps,
  ) {
    // One: messages may have 4 MiB.
    super({ objectMode: true, highWaterMark: 1 });
    if (!definition.requestStream) this.push(null);
    this.#call = call;
    this.#definition = definition;
    this.#host = headers[":authority"] ?? headers.host ?? "";
    this.#deps = deps;
    this.#reader = new MessageReader(deps.budget);
    this.metadata = Metadata.fromHttp2Headers(headers);
    this.on("error", (error) => this.fail(error));
    const { signal } = call;
    if (signal.aborted) this.#cancel();
    else signal.addEventListener("abort", () => this.#cancel(), { once: true });
  }

  /** Makes the requests of a client stream readable. */
  readRequests(): void {
    const { stream, signal } = this.#call;
    if (signal.aborted) return;
    signal.addEventListener("abort", () => this.#reader.release(), { once: true });
    this.#startTimer();
    stream.on("data", (chunk: Buffer) => {
      if (signal.aborted || this.writableEnded) return;
      this.#guard(() => this.#reader.push(chunk));
      if (this.#stopTimer === undefined) this.#startTimer();
      this.#passRequests();
    });
    stream.on("end", () => {
      this.#isRequestOver = true;
      this.#passRequests();
    });
    this.on("drain", () => this.#passRequests());
  }

  /** The callback of handlers with one response. */
  reply(error: unknown, value?: unknown, trailers?: unknown): void {
    const metadata = trailers instanceof Metadata ? trailers : undefined;
    if (error !== null && error !== undefined) {
      this.fail(error, metadata);
      return;
    }
    this.write(value);
    this.end(metadata);
  }

  /** Ends the call with the status of an error; an error without one is logged, and UNKNOWN to the client. */
  fail(error: unknown, trailers?: Metadata): void {
    const status = statusOf(error);
    if (status === undefined) {
      this.#deps.log.error("Cannot serve a call", { path: this.#call.path, error: errorText(error) });
    }
    this.#outcome = {
      status: status ?? { code: Code.UNKNOWN, message: "The call failed" },
      trailers: trailers ?? metadataOf(error),
    };
    // What the handler has written before goes out first.
    if (this.writableLength > 0 && !this.destroyed) super.end();
    else this.#end();
  }

  sendMetadata(metadata: Metadata): void {
    const { stream, signal } = this.#call;
    if (!signal.aborted && !stream.headersSent) respondWithTrailers(stream, metadata.toHttp2Headers());
  }

  getPeer(): string {
    return this.#call.peer;
  }

  getPath(): string {
    return this.#call.path;
  }

  getHost(): string {
    return this.#host;
  }

  getDeadline(): Deadline {
    const { deadlineMs } = this.#call;
    return deadlineMs === undefined ? Infinity : this.#deps.clock.now() + deadlineMs - this.#deps.clock.monotonic();
  }

  getAuthContext(): object {
    return {};
  }

  /** Ends the call with OK and these trailers, after what is written. */
  override end(trailers?: unknown): this {
    if (trailers instanceof Metadata) this.#outcome = { status: ok, trailers };
    return super.end();
  }

  override _read(): void {
    this.#isRequestWanted = true;
    this.#passRequests();
  }

  override _write(message: unknown, _encoding: string, done: (error?: Error | null) => void): void {
    const { stream, signal } = this.#call;
    const frame = signal.aborted ? undefined : this.#encode(message);
    if (frame === undefined) {
      done();
      return;
    }
    this.sendMetadata(new Metadata());
    if (this.#stopTimer === undefined) this.#startTimer();
    stream.write(frame, () => {
      this.#deps.budget.give(frame.length);
      // A write that fails has lost its client, which the call's signal tells.
      done();
      this.#noteProgress();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#end();
    done();
  }

  /** Hands on what has arrived, as long as it is wanted and its answers are taken; meanwhile the client has to wait. */
  #passRequests(): void {
    const { stream, signal } = this.#call;
    this.#guard(() => {
      while (!signal.aborted && !this.writableEnded) {
        if (!this.#isRequestWanted || this.writableNeedDrain) {
          stream.pause();
          return;
        }
        const message = this.#reader.next();
        if (message !== undefined) {
          this.#noteProgress();
          this.#isRequestWanted = this.push(decode(this.#definition, message));
        } else if (this.#isRequestOver) {
          this.#reader.end();
          this.#isRequestWanted = this.push(null);
        } else {
          stream.resume();
          return;
        }
      }
    });
  }

  /** A request came in whole, or an answer went out: the client has as long again for what is left, if anything is. */
  #noteProgress(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (!this.#reader.isEmpty || this.writableLength > 0) this.#startTimer();
  }

  /** A client that stops half way through a request, or takes no answer, must not hold its place and bytes for ever. */
  #startTimer(): void {
    if (this.#call.signal.aborted) return;
    this.#stopTimer = this.#deps.clock.after(requestTimeoutMs, () => {
      const seconds = requestTimeoutMs / 1000;
      this.#call.cut({ code: Code.DEADLINE_EXCEEDED, message: `No request came or answer went in ${seconds} s` });
    });
  }

  /** The message in its frame, whose bytes are taken from the budget. */
  #encode(message: unknown): Buffer | undefined {
    try {
      const frame = encodeFrame(this.#definition.responseSerialize(message));
      this.#deps.budget.take(frame.length);
      return frame;
    } catch (cause) {
      this.fail(cause instanceof StatusError ? cause : new Error("Cannot encode a response message", { cause }));
      return undefined;
    }
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.fail(error);
    }
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { status, trailers } = this.#outcome;
    this.#call.end(status, trailers?.toHttp2Headers());
  }

  #cancel(): void {
    this.#stopTimer?.();
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.cancelled = true;
      this.emit("cancelled", "cancelled");
    }
    this.destroy();
  }
}

/** The request in the bytes of a message. @throws StatusError */
export function decode(definition: ServerMethodDefinition<unknown, unknown>, message: Buffer): unknown {
  try {
    return definition.requestDeserialize(message);
  } catch (cause) {
    throw new StatusError(Code.INTERNAL, "Cannot decode the request message", { cause });
  }
}

/** The status in an error: a StatusError, or `{ code, details }` as grpc-js has it. */
export function statusOf(error: unknown): Status | undefined {
  if (error instanceof StatusError) return error;
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "number") {
    const details = "details" in error && typeof error.details === "string" ? error.details : "";
    return { code: error.code, message: details };
  }
  return undefined;
}

function metadataOf(error: unknown): Metadata | undefined {
  if (typeof error !== "object" || error === null || !("metadata" in error)) return undefined;
  return error.metadata instanceof Metadata ? error.metadata : undefined;
}
