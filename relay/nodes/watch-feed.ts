import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import { status as Code } from "@grpc/grpc-js";
import type { Feed } from "../feeds.ts";
import { encodeFrame, FrameCutter, FramingError, type FramingFault, type RunSink } from "../wire/frame-cutter.ts";

/** 4 MiB: what gRPC clients take by default, and so the largest event that upstream relays and agents ever passed. */
export const maxEventBytes = 4 * 1024 * 1024;

/** How a stream of an agent ended. */
export type StreamEnd =
  | { readonly kind: "status"; readonly code: Code; readonly message: string }
  | { readonly kind: "framing"; readonly fault: FramingFault; readonly message: string }
  /** Without a status: the connection went away, or the agent reset the stream. */
  | { readonly kind: "broken"; readonly message: string };

/**
 * Opens one server stream on an agent and hands on its frames until it ends; a stream that cannot be opened has ended, too.
 * Aborting `signal` cancels it.
 */
export function watchFeed(
  session: ClientHttp2Session,
  feed: Feed,
  onRun: RunSink,
  onHeard: () => void,
  signal: AbortSignal,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    if (session.closed || session.destroyed) {
      resolve({ kind: "broken", message: "The connection is closed" });
      return;
    }
    const stream = openCall(session, feed.path);
    const cutter = new FrameCutter({ maxMessageBytes: maxEventBytes }, onRun);
    let end: StreamEnd | undefined;
    const abort = () => stream.close(constants.NGHTTP2_CANCEL);
    const failFraming = (error: unknown) => {
      if (!(error instanceof FramingError)) throw error;
      end ??= { kind: "framing", fault: error.fault, message: error.message };
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const readStatus = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      end ??= statusOf(headers);
    };
    stream.on("response", (headers) => {
      onHeard();
      readStatus(headers);
    });
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => {
      onHeard();
      if (end?.kind === "framing") return;
      try {
        cutter.push(chunk);
      } catch (error) {
        failFraming(error);
      }
    });
    stream.on("end", () => {
      try {
        cutter.end();
      } catch (error) {
        failFraming(error);
      }
    });
    let failure: Error | undefined;
    stream.on("error", (error: Error) => {
      failure = error;
    });
    stream.on("close", () => {
      signal.removeEventListener("abort", abort);
      resolve(end ?? { kind: "broken", message: failure?.message ?? `Stream reset with code ${stream.rstCode}` });
    });
    signal.addEventListener("abort", abort, { once: true });
    stream.end(encodeFrame(encodeFilter(feed.agentFilter)));
  });
}

/** Calls the agent's HealthCheck, which returns the number it was sent. @throws when it does not, or not in `deadlineMs`. */
export function checkHealth(session: ClientHttp2Session, nonce: number, deadlineMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Request and reply are one int32 with the same number, so the reply's bytes are the request's.
    const request = encodeNonce(nonce);
    const stream = openCall(session, "/feeder.LogService/HealthCheck");
    const reply: Buffer[] = [];
    let end: StreamEnd | undefined;
    const readStatus = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      end ??= statusOf(headers);
    };
    // The deadline travels with the call, too, so that the agent gives up when we do.
    stream.setTimeout(deadlineMs, () => stream.close(constants.NGHTTP2_CANCEL));
    stream.on("response", readStatus);
    stream.on("trailers", readStatus);
    stream.on("data", (chunk: Buffer) => reply.push(chunk));
    stream.on("error", (error: Error) => {
      end ??= { kind: "broken", message: error.message };
    });
    stream.on("close", () => {
      const verdict = judgeHealth(end, Buffer.concat(reply).equals(request));
      if (verdict === undefined) resolve();
      else reject(new Error(`HealthCheck failed: ${verdict}`));
    });
    stream.end(request);
  });
}

/** What is wrong with the answer to a HealthCheck: undefined = nothing. */
function judgeHealth(end: StreamEnd | undefined, isEcho: boolean): string | undefined {
  if (end?.kind !== "status") return end?.message ?? "no answer in time";
  switch (end.code) {
    case Code.OK:
      return isEcho ? undefined : "another number came back";
    case Code.UNIMPLEMENTED:
      // An agent without the method (it is deprecated upstream) has answered, and that is what matters.
      return undefined;
    default:
      return end.message;
  }
}

function openCall(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-accept-encoding": "identity",
    "user-agent": "kubearmor-relay",
  });
}

function statusOf(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): StreamEnd | undefined {
  const grpcStatus = headers["grpc-status"];
  if (typeof grpcStatus === "string") {
    const code = Number(grpcStatus) as Code;
    const message = headers["grpc-message"];
    return {
      kind: "status",
      code,
      message: `${Code[code] ?? grpcStatus} ${typeof message === "string" ? message : ""}`.trimEnd(),
    };
  }
  const httpStatus = headers[":status"];
  if (httpStatus !== undefined && httpStatus !== 200) return { kind: "broken", message: `HTTP status ${httpStatus}` };
  return undefined;
}

/** RequestMessage { string Filter = 1 } */
function encodeFilter(filter: string): Buffer {
  const text = Buffer.from(filter, "utf8");
  return Buffer.concat([Buffer.of(0x0a, text.length), text]);
}

/** NonceMessage { int32 nonce = 1 }, for a nonce of 1 to 127, which is one byte. */
function encodeNonce(nonce: number): Buffer {
  return encodeFrame(Buffer.of(0x08, nonce));
}
