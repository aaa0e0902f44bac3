import type { Call, CallDeps } from "./call.ts";
import { MessageReader } from "./message-reader.ts";
import { Code, StatusError } from "./status.ts";

/** How long a client may take over a request of at most 4 MiB: an unfinished one holds a place and bytes of the budget. */
export const requestTimeoutMs = 15_000;

/**
 * Reads the one request message of a unary or server-streaming call, up to the client's half-close, as grpc-go does:
 * only that tells a call with one message from one with two.
 * @throws StatusError to end the call with; `call.signal.reason` if the call ends first.
 */
export function readMessage(call: Call, { budget, clock }: CallDeps): Promise<Buffer> {
  const { stream, signal } = call;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as StatusError);
      return;
    }
    const reader = new MessageReader(budget);
    let message: Buffer | undefined;
    const stop = () => {
      cancelTimer();
      reader.release();
      stream.off("data", read);
      stream.off("end", end);
      signal.removeEventListener("abort", abort);
    };
    const fail = (error: unknown) => {
      stop();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const abort = () => fail(signal.reason);
    const read = (chunk: Buffer) => {
      try {
        reader.push(chunk);
        for (let next = reader.next(); next !== undefined; next = reader.next()) {
          if (message !== undefined) throw new StatusError(Code.INTERNAL, "Received more than one request message");
          message = next;
        }
      } catch (error) {
        fail(error);
      }
    };
    const end = () => {
      try {
        reader.end();
        if (message === undefined) throw new StatusError(Code.INTERNAL, "Received no request message");
        stop();
        resolve(message);
      } catch (error) {
        fail(error);
      }
    };
    const cancelTimer = clock.after(requestTimeoutMs, () => {
      fail(new StatusError(Code.DEADLINE_EXCEEDED, `The request did not arrive in ${requestTimeoutMs / 1000} s`));
    });
    signal.addEventListener("abort", abort, { once: true });
    stream.on("data", read);
    stream.on("end", end);
  });
}
