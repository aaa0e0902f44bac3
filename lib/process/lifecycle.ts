import type { Log } from "./log.ts";

/** Beyond the programs' own deadlines, so that it only ever ends a process that hangs. */
const forcedExitAfterMs = 28_000;
/** For what is still being written when `main` has returned: a stderr that nobody reads never takes it. */
const lastWordsMs = 1_000;

/**
 * Runs a program to its end: SIGTERM or SIGINT aborts `signal`, after which `main` drains and returns, and the process
 * ends by an empty event loop. A second signal ends it at once with status 1, as does an error that `main` lets out
 * or that nobody caught.
 */
export async function runProgram(log: Log, main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (abort.signal.aborted) {
      log.warn("Second signal: ending without draining", { signal: name });
      process.exit(1);
    }
    log.info("Signal received: draining", { signal: name });
    setTimeout(() => {
      log.error("Draining did not end in time: exiting", { afterMs: forcedExitAfterMs });
      process.exit(1);
    }, forcedExitAfterMs).unref();
    abort.abort(new Error(`Received ${name}`));
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  const onUncaught = (error: unknown) => {
    log.error("Unexpected error: ending", { error, stack: error instanceof Error ? error.stack : undefined });
    process.exit(1);
  };
  process.on("uncaughtException", onUncaught);
  process.on("unhandledRejection", onUncaught);
  try {
    await main(abort.signal);
    setTimeout(() => process.exit(), lastWordsMs).unref();
  } catch (error) {
    log.error("The program failed", { error, stack: error instanceof Error ? error.stack : undefined });
    // What it left open must not keep a process alive that does nothing.
    process.exit(1);
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}
