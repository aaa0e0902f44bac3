import { Page } from "./page.ts";

export interface BudgetOptions {
  /** What all pages together may take. */
  readonly maxBytes: number;
  /** The size of most pages; those of this size are used again. */
  readonly pageBytes: number;
}

/** Unused pages that are kept for the next ones: enough for what one turn of the event loop gives back. */
const maxSparePages = 32;

/**
 * The memory of all events that the relay holds, whatever their feed and however many consumers wait for them: each page
 * counts once. When a new one does not fit, the oldest that nobody is reading goes, out of every mailbox: who keeps up
 * has only the newest ones and loses nothing.
 */
export class Budget {
  readonly #pageBytes: number;
  #maxBytes: number;
  /** Pages that somebody has, the oldest first. */
  readonly #pages = new Set<Page>();
  readonly #spare: Buffer[] = [];
  #usedBytes = 0;

  constructor(options: BudgetOptions) {
    this.#pageBytes = options.pageBytes;
    this.#maxBytes = options.maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** In pages that somebody has. At most `maxBytes`, unless pages that are pinned and one more take more than that. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes effect at once: what is too much for a smaller budget is dropped. */
  configure(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#makeRoom(0);
  }

  /** A page of at least `bytes`, pinned for the caller. Its content is arbitrary. */
  take(bytes: number): Page {
    const size = Math.max(bytes, this.#pageBytes);
    this.#makeRoom(size);
    const memory = (size === this.#pageBytes ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(size);
    const page = new Page(memory, this.#onUnused);
    page.pin();
    this.#pages.add(page);
    this.#usedBytes += size;
    return page;
  }

  #makeRoom(bytes: number): void {
    if (this.#usedBytes + bytes <= this.#maxBytes) return;
    for (const page of this.#pages) {
      if (!page.isPinned) page.evict();
      if (this.#usedBytes + bytes <= this.#maxBytes) return;
    }
  }

  readonly #onUnused = (page: Page): void => {
    this.#pages.delete(page);
    const { length } = page.bytes;
    this.#usedBytes -= length;
    if (length === this.#pageBytes && !page.isTainted && this.#spare.length < maxSparePages) {
      this.#spare.push(page.bytes);
    }
  };
}
