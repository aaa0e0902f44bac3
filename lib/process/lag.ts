import { monitorEventLoopDelay } from "node:perf_hooks";

export interface LagWatch extends Disposable {
  /** Why the event loop is not healthy: empty = it is. */
  check(): readonly string[];
}

/**
 * Liveness of a single-threaded process: if this very check runs, the loop turns; what it adds is that a loop that turned
 * only every `maxLagMs` since the last check is reported too.
 */
export function watchEventLoopLag(maxLagMs: number): LagWatch {
  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  return {
    check() {
      const p50Ms = histogram.percentile(50) / 1e6;
      histogram.reset();
      return p50Ms > maxLagMs ? [`event loop lags by ${Math.round(p50Ms)} ms, at most ${maxLagMs} ms wanted`] : [];
    },
    [Symbol.dispose]: () => {
      histogram.disable();
    },
  };
}
