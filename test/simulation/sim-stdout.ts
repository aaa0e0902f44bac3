import { type FeedId, feeds } from "../../relay/feeds.ts";
import type { ChunkWriter, WriteResult } from "../../relay/sinks/chunk-writer.ts";
import type { EventBook } from "./event-book.ts";
import type { Pace } from "./sim-client.ts";
import { Receipts } from "./receipts.ts";
import type { World } from "./world.ts";

const textOf: Readonly<Record<FeedId, RegExp>> = {
  alerts: /"Message":"(\d{8})/,
  logs: /"Data":"(\d{8})/,
  messages: /"Message":"(\d{8})/,
};

/** Where lines go: read at once, late, not at all, or gone. */
export class SimStdout implements ChunkWriter {
  readonly #world: World;
  readonly #book: EventBook;
  readonly receipts: ReadonlyMap<FeedId, Receipts>;
  isClosed = false;
  isBroken = false;
  #pace: Pace = "healthy";
  #held: { readonly chunk: Buffer; readonly copy: Buffer; readonly done: (result: WriteResult) => void } | undefined;
  #isReading = false;
  #hasSaidSo = false;

  constructor(world: World, book: EventBook) {
    this.#world = world;
    this.#book = book;
    this.receipts = new Map(feeds.map(({ id }) => [id, new Receipts(book, world.judge, id, "stdout")]));
  }

  write(chunk: Buffer, done: (result: WriteResult) => void): void {
    const { judge } = this.#world;
    judge.check(this.#held === undefined, "contract", () => "stdout gets a chunk while it has one");
    judge.check(!this.isClosed && !this.#hasSaidSo, "contract", () => "stdout is written to after its end");
    judge.check(chunk.length > 0, "contract", () => "stdout gets an empty chunk");
    this.#held = { chunk, copy: Buffer.from(chunk), done };
    this.#readOn();
  }

  close(): void {
    this.isClosed = true;
    this.#held = undefined;
  }

  setPace(pace: Pace): void {
    this.#pace = pace;
    this.#readOn();
  }

  /** Whoever read it is gone. */
  break(): void {
    this.isBroken = true;
    if (this.#held !== undefined) this.#refuse();
  }

  #refuse(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#hasSaidSo = true;
    held?.done({ kind: "closed", error: new Error("The reader is gone") });
  }

  #readOn(): void {
    if (this.#isReading || this.#held === undefined || (this.#pace === "stuck" && !this.isBroken)) return;
    this.#isReading = true;
    const { clock, prng } = this.#world;
    clock.after(this.#pace === "healthy" ? prng.within(0, 1) : prng.within(5, 500), () => {
      this.#isReading = false;
      if (this.#held === undefined) return;
      if (this.isBroken) this.#refuse();
      else if (this.#pace !== "stuck") this.#take();
    });
  }

  #take(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    const { judge } = this.#world;
    judge.check(held.chunk.equals(held.copy), "bytes", () => "a chunk changes while stdout writes it");
    for (const line of held.copy.toString().split("\n").slice(0, -1)) this.#takeLine(line);
    judge.check(held.copy.at(-1) === 0x0a, "bytes", () => "stdout gets a chunk that ends inside a line");
    held.done({ kind: "written" });
  }

  #takeLine(line: string): void {
    for (const { id } of feeds) {
      const text = textOf[id].exec(line)?.[1];
      const event = text === undefined ? undefined : this.#book.byText(text);
      if (event?.source.feed !== id) continue;
      this.#world.judge.check(
        event.kind !== "unreadable",
        "bytes",
        () => `stdout got a line of event ${event.ordinal}, which cannot be read`,
      );
      this.receipts.get(id)?.add(event);
      return;
    }
    this.#world.judge.fail("bytes", `stdout got a line of no event: ${line}`);
  }
}
