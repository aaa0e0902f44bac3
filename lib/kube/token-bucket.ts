export interface TokenBucketOptions {
  readonly burst: number;
  readonly refillMs: number;
}

/** Lets `burst` things pass at once and then one every `refillMs`. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #filledMs: number;

  constructor(options: TokenBucketOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledMs = nowMs;
  }

  /** Full again: nothing of its past matters any more. */
  isFull(nowMs: number): boolean {
    return this.#available(nowMs) >= this.#options.burst;
  }

  tryTake(nowMs: number): boolean {
    this.#tokens = this.#available(nowMs);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #available(nowMs: number): number {
    return Math.min(this.#options.burst, this.#tokens + (nowMs - this.#filledMs) / this.#options.refillMs);
  }
}
