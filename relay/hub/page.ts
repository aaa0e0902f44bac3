/** Whoever keeps events of a page for later, and can be made to give them up. */
export interface PageHolder {
  /** Drops what it keeps of the page, and counts it. */
  evict(page: Page): void;
}

/**
 * A stretch of memory that whole events are gathered in, and that all consumers of a feed share. Bytes that were handed
 * out never change while anybody has the page: those who hold it can be made to let go, those who pinned it cannot,
 * because the hub still appends to it or the kernel may still read from it.
 */
export class Page {
  readonly bytes: Buffer;
  readonly #onUnused: (page: Page) => void;
  /** How often each of them holds it. */
  readonly #holders = new Map<PageHolder, number>();
  #pins = 0;
  #isTainted = false;

  constructor(bytes: Buffer, onUnused: (page: Page) => void) {
    this.bytes = bytes;
    this.#onUnused = onUnused;
  }

  get isPinned(): boolean {
    return this.#pins > 0;
  }

  /** Nobody can say when its bytes are read for the last time, so that they must not be used again. */
  get isTainted(): boolean {
    return this.#isTainted;
  }

  hold(holder: PageHolder): void {
    this.#holders.set(holder, (this.#holders.get(holder) ?? 0) + 1);
  }

  release(holder: PageHolder): void {
    const times = this.#holders.get(holder);
    if (times === undefined) throw new Error("Cannot release a page that is not held");
    if (times > 1) this.#holders.set(holder, times - 1);
    else this.#holders.delete(holder);
    this.#settle();
  }

  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    if (this.#pins === 0) throw new Error("Cannot unpin a page that is not pinned");
    this.#pins--;
    this.#settle();
  }

  taint(): void {
    this.#isTainted = true;
  }

  /** Makes everybody who only holds the page let go of it. */
  evict(): void {
    for (const holder of this.#holders.keys()) holder.evict(this);
  }

  #settle(): void {
    if (this.#pins === 0 && this.#holders.size === 0) this.#onUnused(this);
  }
}
