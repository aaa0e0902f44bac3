import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Clock } from "../../lib/process/clock.ts";
import type { Call } from "./call.ts";
import { Code, endWithStatus, type Status, StatusError } from "./status.ts";
import { parseTimeout } from "./timeout.ts";

/**
 * What the headers of a call may add up to, in the measure of HTTP/2 (RFC 9113 section 6.5.2). Clients are told and keep to
 * it. Of one that does not, Node resets the call with ENHANCE_YOUR_CALM, to gRPC RESOURCE_EXHAUSTED, but only once it has
 * acknowledged the settings; until then it is refused here. Over some 140 KiB, HTTP/2 in Node ends the connection.
 */
export const maxHeaderBytes = 16 * 1024;
const headerFieldOverhead = 32;

/** Node clamps longer timers to 1 ms. */
const maxTimerMs = 2 ** 31 - 1;

/** A new stream as a call with its deadline running, or undefined: then it is refused and answered already. */
export function acceptCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, clock: Clock): Call | undefined {
  // "close" follows every error and is what the call listens to; unheard, an error would end the process.
  stream.on("error", () => {});
  const refusal = checkHeaders(headers);
  if (refusal !== undefined) {
    endWithStatus(stream, refusal.status, refusal.headers);
    return undefined;
  }
  const timeoutMs = timeoutOf(headers);
  const deadlineMs = timeoutMs === undefined ? undefined : clock.monotonic() + timeoutMs;
  const call = openCall(stream, headers, deadlineMs, clock);
  return call.signal.aborted ? undefined : call;
}

interface Refusal {
  readonly status: Status;
  readonly headers?: OutgoingHttpHeaders;
}

/** What makes grpc-go refuse a call, in its order and with its statuses, after what makes Node refuse it. */
export function checkHeaders(headers: IncomingHttpHeaders): Refusal | undefined {
  const bytes = sizeOf(headers);
  if (bytes > maxHeaderBytes) {
    return refuse(Code.RESOURCE_EXHAUSTED, `Received headers larger than max (${bytes} vs. ${maxHeaderBytes})`);
  }
  const type = headers["content-type"] ?? "";
  if (!/^application\/grpc(\+proto)?\s*(;|$)/i.test(type)) {
    return refuse(Code.INVALID_ARGUMENT, `Invalid gRPC request content-type "${type}"`, { ":status": 415 });
  }
  const timeout = headers["grpc-timeout"];
  if (timeout !== undefined && timeoutOf(headers) === undefined) {
    return refuse(Code.INTERNAL, `Malformed grpc-timeout "${String(timeout)}"`, { ":status": 400 });
  }
  const method = headers[":method"];
  if (method !== "POST") {
    return refuse(Code.INTERNAL, `Method is "${method}", it should be POST`, { ":status": 405 });
  }
  const encoding = headers["grpc-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    const supported = { "grpc-accept-encoding": "identity" };
    return refuse(Code.UNIMPLEMENTED, `No decompressor for grpc-encoding "${String(encoding)}"`, supported);
  }
  return undefined;
}

function refuse(code: Code, message: string, headers: OutgoingHttpHeaders = {}): Refusal {
  return { status: { code, message }, headers };
}

function sizeOf(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers))
    bytes += name.length + String(value).length + headerFieldOverhead;
  return bytes;
}

function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  const value = headers["grpc-timeout"];
  return typeof value === "string" ? parseTimeout(value) : undefined;
}

function openCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  deadlineMs: number | undefined,
  clock: Clock,
): Call {
  const over = new AbortController();
  let cancelTimer: (() => void) | undefined;
  const finish = (status: Status) => {
    cancelTimer?.();
    over.abort(status instanceof StatusError ? status : new StatusError(status.code, status.message));
  };
  const call: Call = {
    stream,
    path: headers[":path"] ?? "",
    peer: peerOf(stream),
    deadlineMs,
    signal: over.signal,
    end(status, extra) {
      if (over.signal.aborted) return;
      finish(status);
      endWithStatus(stream, status, extra);
    },
    cut(status) {
      const isStuck = stream.writableLength > 0;
      call.end(status);
      if (isStuck) stream.close(constants.NGHTTP2_CANCEL);
    },
  };
  const cancelled = () => {
    if (!over.signal.aborted) finish({ code: Code.CANCELLED, message: "The client cancelled the call" });
  };
  stream.once("aborted", cancelled);
  stream.once("close", cancelled);
  const expire = () => {
    const leftMs = deadlineMs === undefined ? 0 : deadlineMs - clock.monotonic();
    if (leftMs > 0) {
      cancelTimer = clock.after(Math.min(leftMs, maxTimerMs), expire);
      return;
    }
    call.cut({ code: Code.DEADLINE_EXCEEDED, message: "Deadline exceeded" });
  };
  if (deadlineMs !== undefined) expire();
  return call;
}

function peerOf(stream: ServerHttp2Stream): string {
  const socket = stream.session?.socket;
  const address = socket?.remoteAddress;
  if (address === undefined) return "unknown";
  return `${address.includes(":") ? `[${address}]` : address}:${socket?.remotePort}`;
}
