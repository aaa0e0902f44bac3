import { errorText, type Log } from "../../lib/process/log.ts";
import type { Call, CallHandler } from "./call.ts";
import { readMessage } from "./request.ts";
import type { RequestBudget } from "./request-budget.ts";
import { Code, StatusError } from "./status.ts";

export interface ServeDeps {
  readonly requests: RequestBudget;
  readonly log: Log;
}

/** Reads the request of a call and hands both to its handler; what either throws is how the call ends. */
export async function serveCall(call: Call, handler: CallHandler, { requests, log }: ServeDeps): Promise<void> {
  try {
    handler(call, await readMessage(call, requests));
  } catch (error) {
    if (error instanceof StatusError) {
      call.end(error);
      return;
    }
    log.error("Cannot serve a call", { path: call.path, error: errorText(error) });
    call.end({ code: Code.UNKNOWN, message: "The call failed" });
  }
}
