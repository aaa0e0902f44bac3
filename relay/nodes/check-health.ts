import { status as Code } from "@grpc/grpc-js";
import type { Clock } from "../../lib/process/clock.ts";
import type { ClientConnection } from "../http2/client-connection.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { type CallTarget, callFields, endOfResponse, endOfStream, endOfTrailers, type StreamEnd } from "./grpc-call.ts";

export interface HealthCheckOptions {
  readonly nonce: number;
  readonly deadlineMs: number;
}

/** Calls the agent's HealthCheck, which returns the number it was sent. @throws when it does not, or not in `deadlineMs`. */
export function checkHealth(
  connection: ClientConnection,
  target: CallTarget,
  { nonce, deadlineMs }: HealthCheckOptions,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { refusal } = connection;
    if (refusal !== undefined) {
      reject(new Error(`HealthCheck failed: ${refusal}`));
      return;
    }
    // Request and reply are one int32 with the same number, so the reply's bytes are the request's.
    const request = encodeNonce(nonce);
    let reply = Buffer.alloc(0);
    let end: StreamEnd | undefined;
    const settle = (complaint: string | undefined) => {
      cancelDeadline();
      if (complaint === undefined) resolve();
      else reject(new Error(`HealthCheck failed: ${complaint}`));
    };
    const giveUp = (complaint: string) => {
      settle(complaint);
      // Its close settles nothing any more.
      connection.cancel(stream);
    };
    const cancelDeadline = clock.after(deadlineMs, () => giveUp(`no answer in ${deadlineMs} ms`));
    // The deadline travels with the call, too, so that the agent gives up when we do.
    const stream = connection.request(callFields(target, "/feeder.LogService/HealthCheck", deadlineMs), request, {
      onHead(head) {
        end = endOfResponse(head);
      },
      onTrailers(trailers) {
        end ??= endOfTrailers(trailers);
      },
      onData(bytes) {
        // One byte too many is kept to tell, and no more.
        reply = Buffer.concat([reply, bytes]).subarray(0, request.length + 1);
        if (reply.length > request.length) giveUp("more than the number came back");
      },
      onClose(close) {
        settle(judge(close.kind === "complete" ? end : (end ?? endOfStream(close)), reply.equals(request)));
      },
    });
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
