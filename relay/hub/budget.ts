import { Page, type PageOwner } from "./page.ts";

export interface BudgetOptions {
  /** What all pages together may take. */
  readonly maxBytes: number;
  /** The size of most pages; only an event that is larger has one of its own. */
  readonly pageBytes: number;
}

/** Unused pages that are kept for the next ones: enough for what one turn of the event loop gives back. */
const maxSparePages = 32;

/**
 * The memory of all events that the relay holds, whatever their feed and however many consumers wait for them: each page
 * counts once. When a new one does not fit, the oldest that is only waiting goes, out of every mailbox: who keeps up has
 * the newest ones only and loses nothing.
 *
 * Pages that are being written cannot go. They take at most a quarter of the budget for writes of several pages, half of it for
 * events larger than a page, and one page for each subscriber beyond that: see `mayExtend` and `mayBegin`.
 */
export class Budget implements PageOwner {
  readonly #pageBytes: number;
  #maxBytes: number;
  /** Pages that somebody has, the oldest first. */
  readonly #pages = new Set<Page>();
  readonly #spare: Buffer[] = [];
  #usedBytes = 0;
  #pinnedBytes = 0;

  constructor(options: BudgetOptions) {
    this.#pageBytes = options.pageBytes;
    this.#maxBytes = options.maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** In pages that somebody has. More than `maxBytes` only if what is being written, and gathered, takes more. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** In pages that are being written. */
  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** Takes effect at once: what is too much for a smaller budget is dropped. */
  configure(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#spare.length = 0;
    this.#makeRoom(0);
  }

  /** An open page of at least `bytes`. Its content is arbitrary. */
  take(bytes: number): Page {
    const size = Math.max(bytes, this.#pageBytes);
    if (size > this.#pageBytes) this.#spare.length = 0;
    this.#makeRoom(size);
    const memory = (size === this.#pageBytes ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(size);
    const page = new Page(memory, this);
    this.#pages.add(page);
    this.#usedBytes += size;
    return page;
  }

  /** Whether a write may begin with this page: always, unless it is a large one and too much is being written already. */
  mayBegin(page: Page): boolean {
    return page.bytes.length <= this.#pageBytes || this.#mayPin(page, this.#maxBytes / 2);
  }

  /** Whether a write may go on with this page: clients that do not read must not keep much more than a page each. */
  mayExtend(page: Page): boolean {
    return this.#mayPin(page, this.#maxBytes / 4);
  }

  onPinned(page: Page): void {
    this.#pinnedBytes += page.bytes.length;
  }

  onUnpinned(page: Page): void {
    this.#pinnedBytes -= page.bytes.length;
  }

  onUnused(page: Page): void {
    this.#pages.delete(page);
    const { length } = page.bytes;
    this.#usedBytes -= length;
    const spareBytes = (this.#spare.length + 1) * this.#pageBytes;
    const isWanted = length === this.#pageBytes && !page.isTainted && this.#spare.length < maxSparePages;
    if (isWanted && this.#usedBytes + spareBytes <= this.#maxBytes) this.#spare.push(page.bytes);
  }

  #mayPin(page: Page, limitBytes: number): boolean {
    return page.isPinned || this.#pinnedBytes + page.bytes.length <= limitBytes;
  }

  #makeRoom(bytes: number): void {
    if (this.#usedBytes + bytes <= this.#maxBytes) return;
    for (const page of this.#pages) {
      if (page.isEvictable) page.evict();
      if (this.#usedBytes + bytes <= this.#maxBytes) return;
    }
  }
}
