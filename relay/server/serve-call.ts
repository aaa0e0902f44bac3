import { errorText } from "../../lib/process/log.ts";
import type { Call, CallDeps, CallHandler } from "./call.ts";
import { readMessage } from "./request.ts";
import { Code, StatusError } from "./status.ts";

/** Reads the request of a call and hands both to its handler; what either throws is how the call ends. */
export async function serveCall(call: Call, handler: CallHandler, deps: CallDeps): Promise<void> {
  try {
    const request = await readMessage(call, deps);
    if (!call.signal.aborted) handler(call, request);
  } catch (error) {
    if (error instanceof StatusError) {
      call.end(error);
      return;
    }
    deps.log.error("Cannot serve a call", { path: call.path, error: errorText(error) });
    call.end({ code: Code.UNKNOWN, message: "The call failed" });
  }
}
