/** Whoever keeps events of a page for later, and can be made to give them up. */
export interface PageHolder {
  /** Drops what it keeps of the page, and counts it. */
  evict(page: Page): void;
}

/** Told how pages are used. */
export interface PageOwner {
  /** The first write that reads from the page began. */
  onPinned(page: Page): void;
  /** The last one ended. */
  onUnpinned(page: Page): void;
  /** Nobody has the page any more. */
  onUnused(page: Page): void;
}

/**
 * A stretch of memory that whole events are gathered in, and that all consumers of a feed share. Bytes that were handed
 * out do not change while anybody has the page: it is open while the hub appends to it, held by mailboxes, and pinned by
 * writes, from which the kernel may read until they end.
 */
export class Page {
  readonly bytes: Buffer;
  readonly #owner: PageOwner;
  /** How often each of them holds it. */
  readonly #holders = new Map<PageHolder, number>();
  #isOpen = true;
  #pins = 0;
  #isTainted = false;

  constructor(bytes: Buffer, owner: PageOwner) {
    this.bytes = bytes;
    this.#owner = owner;
  }

  get isPinned(): boolean {
    return this.#pins > 0;
  }

  /** Whether nobody would have the page any more if its holders let go of it. */
  get isEvictable(): boolean {
    return !this.#isOpen && this.#pins === 0;
  }

  /** Nobody can say when its bytes are read for the last time, so that they must not be used again. */
  get isTainted(): boolean {
    return this.#isTainted;
  }

  /** Nothing more is appended. */
  close(): void {
    this.#isOpen = false;
    this.#settle();
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
    if (this.#pins === 1) this.#owner.onPinned(this);
  }

  unpin(): void {
    if (this.#pins === 0) throw new Error("Cannot unpin a page that is not pinned");
    this.#pins--;
    if (this.#pins === 0) this.#owner.onUnpinned(this);
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
    if (this.isEvictable && this.#holders.size === 0) this.#owner.onUnused(this);
  }
}
