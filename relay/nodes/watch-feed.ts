import { type ClientHttp2Session, constants } from "node:http2";
import type { Feed } from "../feeds.ts";
import { encodeFrame, FrameCutter, FramingError } from "../wire/frame-cutter.ts";
import { endOfResponse, endOfTrailers, openCall, type ResponseHeaders, type StreamEnd } from "./grpc-call.ts";
import type { StreamEvents } from "./link.ts";

/** 4 MiB: what gRPC clients take by default, and so the largest event that upstream relays and agents ever passed. */
export const maxEventBytes = 4 * 1024 * 1024;

/**
 * Opens one server stream on an agent and hands on its frames until it ends; a stream that cannot be opened has ended, too.
 * Aborting `signal` cancels it.
 */
export function watchFeed(
  session: ClientHttp2Session,
  feed: Feed,
  { onRun, onAnswer }: StreamEvents,
  onHeard: () => void,
  signal: AbortSignal,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    if (session.closed || session.destroyed) {
      resolve({ kind: "refused", code: undefined, message: "The connection is closed" });
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
    stream.on("response", (headers) => {
      onHeard();
      end ??= endOfResponse(headers);
      if (end === undefined) onAnswer();
    });
    stream.on("trailers", (headers: ResponseHeaders) => {
      end ??= endOfTrailers(headers);
    });
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
      const message = failure?.message ?? `Stream reset with code ${stream.rstCode}`;
      const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      resolve(end ?? (isRefused ? { kind: "refused", code: undefined, message } : { kind: "broken", message }));
    });
    signal.addEventListener("abort", abort, { once: true });
    stream.end(encodeFrame(encodeFilter(feed.agentFilter)));
  });
}

/** RequestMessage { string Filter = 1 } */
function encodeFilter(filter: string): Buffer {
  const text = Buffer.from(filter, "utf8");
  return Buffer.concat([Buffer.of(0x0a, text.length), text]);
}
