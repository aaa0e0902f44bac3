import type { Clock, Random } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { ControllerMetrics } from "./metrics.ts";
import { type Outcome, type Reconcile, TerminalError } from "./outcome.ts";
import type { WorkQueue } from "./queue.ts";

export interface ControllerOptions {
  /** How many keys are worked on at once; one key never twice at once. */
  readonly concurrency: number;
  readonly reconcileTimeoutMs: number;
  /** After a pass that asks for nothing the key is looked at again within half of this and this, chosen by chance. */
  readonly resyncMs: number;
}

export interface ControllerDeps {
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  /** Whether the object of this key exists: one that is gone needs no resync. */
  readonly exists: (key: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: ControllerMetrics;
}

/**
 * Works on the queue's keys until `signal` aborts; resolves when the last reconcile has ended. A reconcile that runs then
 * is aborted through its own signal.
 */
export async function runController(
  options: ControllerOptions,
  deps: ControllerDeps,
  signal: AbortSignal,
): Promise<void> {
  const close = () => deps.queue.close();
  if (signal.aborted) close();
  signal.addEventListener("abort", close, { once: true });
  await Promise.all(Array.from({ length: options.concurrency }, () => work(options, deps, signal)));
  signal.removeEventListener("abort", close);
}

async function work(options: ControllerOptions, deps: ControllerDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    const key = await deps.queue.take();
    if (key === undefined) return;
    await pass(key, options, deps, signal);
    deps.queue.done(key);
  }
}

/** One reconcile and what follows from its end. Never throws. */
async function pass(key: string, options: ControllerOptions, deps: ControllerDeps, signal: AbortSignal): Promise<void> {
  const { queue, metrics } = deps;
  const log = deps.log.with({ key });
  const end = metrics.begin();
  try {
    const outcome = await withTimeout(key, options, deps, signal);
    queue.forget(key);
    switch (outcome.kind) {
      case "done":
        resync(key, options, deps);
        end("success");
        return;
      case "requeue-after":
        queue.addAfter(key, outcome.afterMs);
        end("requeue_after");
    }
  } catch (error) {
    end("error");
    // The program ends: what was cut off is done by whoever reconciles this key next.
    if (signal.aborted) return;
    if (error instanceof TerminalError) {
      metrics.terminalError();
      queue.forget(key);
      resync(key, options, deps);
      log.error("Reconcile failed and waits for a change", { error });
      return;
    }
    if (isBug(error)) metrics.panic();
    const retryInMs = queue.retry(key);
    log.warn("Reconcile failed and will be retried", {
      error,
      retryInMs,
      stack: isBug(error) ? error.stack : undefined,
    });
  }
}

/** Covers a change that no watch told of; spread, or all keys of a start would come back in one moment. */
function resync(key: string, { resyncMs }: ControllerOptions, { queue, exists, random }: ControllerDeps): void {
  if (exists(key)) queue.addAfter(key, resyncMs * (0.5 + random() / 2), "routine");
}

async function withTimeout(
  key: string,
  options: ControllerOptions,
  deps: ControllerDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const timeout = new AbortController();
  const cancel = deps.clock.after(options.reconcileTimeoutMs, () => {
    deps.metrics.timeout();
    timeout.abort(new Error(`Cannot reconcile ${key} within ${options.reconcileTimeoutMs} ms`));
  });
  try {
    return await deps.reconcile(key, AbortSignal.any([signal, timeout.signal]));
  } finally {
    cancel();
  }
}

/** What JavaScript throws by itself: never an answer of a server, always a mistake in this program. */
function isBug(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
