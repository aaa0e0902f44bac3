/** The time of each key, as long as it matters: what is older is dropped, or the memory would grow with every key there was. */
export class RecentTimes {
  readonly #keepMs: number;
  /** In the order in which they were set. */
  readonly #times = new Map<string, number>();

  /** @param keepMs for how long a time matters */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  get size(): number {
    return this.#times.size;
  }

  get(key: string): number | undefined {
    return this.#times.get(key);
  }

  set(key: string, atMs: number, nowMs: number): void {
    this.#times.delete(key);
    this.#times.set(key, atMs);
    for (const [other, otherMs] of this.#times) {
      if (otherMs > nowMs - this.#keepMs) return;
      this.#times.delete(other);
    }
  }

  delete(key: string): void {
    this.#times.delete(key);
  }
}
