/** What must hold; a broken one is named in the verdict. */
export type Rule =
  | "accounting"
  | "backoff"
  | "bytes"
  | "contract"
  | "dialling"
  | "duplicate"
  | "healthy-loss"
  | "leak"
  | "monotonic"
  | "one-connection"
  | "one-stream"
  | "order"
  | "recovery"
  | "removal"
  | "thrown";

export interface Violation {
  readonly rule: Rule;
  readonly message: string;
  readonly atMs: number;
}

/** Keeps the first violation: thrown where it is seen it could end up in a catch of the code that is judged. */
export class Judge {
  readonly #nowMs: () => number;
  violation: Violation | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  fail(rule: Rule, message: string): void {
    this.violation ??= { rule, message, atMs: this.#nowMs() };
  }

  /** `describe` is called when it does not hold. */
  check(holds: boolean, rule: Rule, describe: () => string): void {
    if (!holds && this.violation === undefined) this.fail(rule, describe());
  }

  /** `what` in parts, because most of the time nobody reads it. */
  equal(actual: number, wanted: number, rule: Rule, ...what: readonly string[]): void {
    if (actual !== wanted) this.fail(rule, `${what.join(" ")}: ${actual}, wanted ${wanted}`);
  }
}
