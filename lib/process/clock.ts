/**
 * Time and chance as parameters, so that behaviour that depends on them can be tested without waiting.
 */
export interface Clock {
  /** Milliseconds since 1970, for what people read. */
  now(): number;
  /** Monotonic milliseconds, for intervals. */
  monotonic(): number;
  /** Calls back once after `delayMs`; the returned function cancels. The timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back once when the event loop has read what is ready now. */
  soon(callback: () => void): void;
}

/** A number in [0, 1), as `Math.random`. */
export type Random = () => number;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon(callback) {
    setImmediate(callback);
  },
};

/** Resolves after `delayMs`, or rejects with `signal.reason`. */
export function delay(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const abort = () => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}
