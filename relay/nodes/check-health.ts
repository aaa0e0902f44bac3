import { type ClientHttp2Session, constants } from "node:http2";
import { status as Code } from "@grpc/grpc-js";
import type { Clock } from "../../lib/process/clock.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { endOfResponse, endOfTrailers, openCall, type ResponseHeaders, type StreamEnd } from "./grpc-call.ts";

/** Calls the agent's HealthCheck, which returns the number it was sent. @throws when it does not, or not in `deadlineMs`. */
export function checkHealth(
  session: ClientHttp2Session,
  nonce: number,
  deadlineMs: number,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Request and reply are one int32 with the same number, so the reply's bytes are the request's.
    const request = encodeNonce(nonce);
    // The deadline travels with the call, too, so that the agent gives up when we do.
    const stream = openCall(session, "/feeder.LogService/HealthCheck", { "grpc-timeout": `${Math.ceil(deadlineMs)}m` });
    let reply = Buffer.alloc(0);
    let end: StreamEnd | undefined;
    const settle = (complaint: string | undefined) => {
      cancelDeadline();
      // Free when the stream has closed; whatever it still says, the verdict stands.
      stream.close(constants.NGHTTP2_CANCEL);
      if (complaint === undefined) resolve();
      else reject(new Error(`HealthCheck failed: ${complaint}`));
    };
    const cancelDeadline = clock.after(deadlineMs, () => settle(`no answer in ${deadlineMs} ms`));
    stream.on("response", (headers) => {
      end ??= endOfResponse(headers);
    });
    stream.on("trailers", (headers: ResponseHeaders) => {
      end ??= endOfTrailers(headers);
    });
    stream.on("data", (chunk: Buffer) => {
      // One byte too many is kept to tell, and no more.
      reply = Buffer.concat([reply, chunk]).subarray(0, request.length + 1);
      if (reply.length > request.length) settle("more than the number came back");
    });
    stream.on("error", (error: Error) => {
      end ??= { kind: "broken", message: error.message };
    });
    stream.on("close", () => settle(judge(end, reply.equals(request))));
    stream.end(request);
  });
}

/** What is wrong with the answer: undefined = nothing. */
function judge(end: StreamEnd | undefined, isEcho: boolean): string | undefined {
  switch (end?.kind) {
    case undefined:
      return "the call ended without a status";
    case "status":
    case "refused":
      // An agent without the method (it is deprecated upstream) has answered, and that is what matters.
      if (end.code === Code.UNIMPLEMENTED) return undefined;
      if (end.code !== Code.OK) return end.message;
      return isEcho ? undefined : "another number came back";
    case "framing":
    case "broken":
      return end.message;
  }
}

/** NonceMessage { int32 nonce = 1 }, for a nonce of 1 to 127, which is one byte. */
function encodeNonce(nonce: number): Buffer {
  return encodeFrame(Buffer.of(0x08, nonce));
}
