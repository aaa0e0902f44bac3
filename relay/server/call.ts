import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { MessageBudget } from "./message-budget.ts";
import type { Status } from "./status.ts";

/** A call that passed the checks every call has to pass, before its request is read. */
export interface Call {
  /** Written to directly by handlers of hot methods; others go through the registry. */
  readonly stream: ServerHttp2Stream;
  /** `/package.Service/Method` */
  readonly path: string;
  /** Address and port of the client: `10.0.0.1:40000`, `[::1]:40000`. */
  readonly peer: string;
  /** Of `Clock.monotonic()`; undefined = the client waits for ever. */
  readonly deadlineMs: number | undefined;
  /**
   * Aborts once, when nobody waits for this call any more: the client cancelled or is gone (CANCELLED), the deadline passed
   * (DEADLINE_EXCEEDED), or `end` or `cut` was called. The reason is a `StatusError`. What waits on behalf of the call stops here.
   */
  readonly signal: AbortSignal;
  /**
   * Ends the response, see `endWithStatus`. The first caller decides; later ones (and a lost client) make it a no-op.
   */
  end(status: Status, headers?: OutgoingHttpHeaders): void;
  /** As `end`, but does not wait for a client that does not take what is written: its stream is reset. */
  cut(status: Status): void;
}

/** Serves a method with one request message, whose bytes it may keep. Ends the call by `call.end`, now or later. */
export type CallHandler = (call: Call, request: Buffer) => void;

/** What serving a call takes. */
export interface CallDeps {
  readonly budget: MessageBudget;
  readonly clock: Clock;
  readonly log: Log;
}
