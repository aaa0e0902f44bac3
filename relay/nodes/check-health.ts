import { status as Code } from "@grpc/grpc-js";
import type { Clock } from "../../lib/process/clock.ts";
import type { ClientConnection } from "../http2/client-connection.ts";
import { ErrorCode } from "../http2/errors.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { type CallTarget, callFields, endOfResponse, endOfStream, endOfTrailers, type StreamEnd } from "./grpc-call.ts";

export interface HealthCheckOptions {
  readonly nonce: number;
  readonly deadlineMs: number;
  /** Whether the agent has answered a feed: false = the connection is over, and it has not. */
  readonly feedAnswered: Promise<boolean>;
}

/** The agent takes no more streams than it has. */
class NoStreamError extends Error {}

/**
 * Calls the agent's HealthCheck, which returns the number it was sent. An agent that takes no more streams than there are
 * feeds cannot be asked: that it answers a feed says the same.
 *
 * @throws when it does not answer, or not in `deadlineMs`
 */
export async function checkHealth(
  connection: ClientConnection,
  target: CallTarget,
  options: HealthCheckOptions,
  clock: Clock,
): Promise<void> {
  try {
    await callHealthCheck(connection, target, options, clock);
  } catch (error) {
    if (!(error instanceof NoStreamError) || !(await isFeedAnswered(options, clock))) throw error;
  }
}

function isFeedAnswered({ feedAnswered, deadlineMs }: HealthCheckOptions, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isAnswered: boolean) => {
      cancelDeadline();
      resolve(isAnswered);
    };
    const cancelDeadline = clock.after(deadlineMs, () => settle(false));
    void feedAnswered.then(settle);
  });
}

function callHealthCheck(
  connection: ClientConnection,
  target: CallTarget,
  { nonce, deadlineMs }: HealthCheckOptions,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { isUsable, refusal } = connection;
    if (refusal !== undefined) {
      reject(failure(refusal, isUsable));
      return;
    }
    // Request and reply are one int32 with the same number, so the reply's bytes are the request's.
    const request = encodeNonce(nonce);
    let reply = Buffer.alloc(0);
    let end: StreamEnd | undefined;
    const settle = (complaint: string | undefined, isForNoStream = false) => {
      cancelDeadline();
      if (complaint === undefined) resolve();
      else reject(failure(complaint, isForNoStream));
    };
    const giveUp = (complaint: string) => {
      settle(complaint);
      // Its close settles nothing any more.
      connection.cancel(stream);
    };
    const cancelDeadline = clock.after(deadlineMs, () => giveUp(`no answer in ${deadlineMs} ms`));
    // The deadline travels with the call, too, so that the agent gives up when we do.
    const stream = connection.request(callFields(target, "/feeder.LogService/HealthCheck", deadlineMs), request, {
      onHead(head, isEnd) {
        end = endOfResponse(head);
        if (end !== undefined && !isEnd) connection.cancel(stream);
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
        const isForNoStream = close.kind === "reset" && close.code === ErrorCode.REFUSED_STREAM;
        const last = close.kind === "complete" ? end : (end ?? endOfStream(close));
        settle(judge(last, reply.equals(request)), isForNoStream);
      },
    });
  });
}

function failure(complaint: string, isForNoStream: boolean): Error {
  const message = `HealthCheck failed: ${complaint}`;
  return isForNoStream ? new NoStreamError(message) : new Error(message);
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
