/** A slot held; disposing it again is free. */
export type Slot = Disposable;

/** At most `size` holders at a time, in the order they asked: dialling a thousand agents at once would be a storm. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#free = size;
  }

  /** @throws `signal.reason` when it aborts before a slot is free. */
  acquire(signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const abort = () => {
        this.#waiting.delete(take);
        reject(signal.reason as Error);
      };
      const take = () => {
        signal.removeEventListener("abort", abort);
        this.#free -= 1;
        resolve(this.#slot());
      };
      if (this.#free > 0) {
        take();
        return;
      }
      this.#waiting.add(take);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  #slot(): Slot {
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#free += 1;
        const [next] = this.#waiting;
        if (next === undefined) return;
        this.#waiting.delete(next);
        next();
      },
    };
  }
}
