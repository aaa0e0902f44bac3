export interface ProgressDeps {
  /** Monotonic milliseconds. */
  now(): number;
  write(line: string): void;
  /** Calls back every `periodMs` until the returned function is called. */
  every(periodMs: number, callback: () => void): () => void;
}

/** Says what is going on at every change of step, and every few seconds within one: silence would look like a hang. */
export interface Progress extends Disposable {
  step(text: string): void;
  /** The newest detail of the step; shown with the next line. */
  detail(text: string): void;
  note(text: string): void;
}

const PERIOD_MS = 5_000;

export function startProgress(deps: ProgressDeps): Progress {
  const startedMs = deps.now();
  let step = "";
  let detail = "";
  const line = (text: string) => {
    const seconds = Math.round((deps.now() - startedMs) / 1000);
    deps.write(`[${String(seconds).padStart(4)}s] ${text}`);
  };
  const stop = deps.every(PERIOD_MS, () => {
    if (step !== "") line(detail === "" ? step : `${step}: ${detail}`);
  });
  return {
    step(text) {
      step = text;
      detail = "";
      line(text);
    },
    detail(text) {
      detail = text;
    },
    note: line,
    [Symbol.dispose]: stop,
  };
}

export const consoleProgressDeps: ProgressDeps = {
  now: () => performance.now(),
  write: (line) => process.stderr.write(`${line}\n`),
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    return () => clearInterval(timer);
  },
};
