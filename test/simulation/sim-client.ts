import type { ServerHttp2Stream } from "node:http2";
import type { Feed } from "../../relay/feeds.ts";
import type { Call } from "../../relay/server/call.ts";
import { Code, type Status, StatusError } from "../../relay/server/status.ts";
import type { EventStream } from "../../relay/server/subscriber.ts";
import type { EventBook } from "./event-book.ts";
import { Receipts } from "./receipts.ts";
import type { World } from "./world.ts";

/** How a client reads: at once, late, or not at all. */
export type Pace = "healthy" | "slow" | "stuck";

interface Write {
  readonly bytes: Buffer;
  readonly callback: (error?: Error | null) => void;
}

/** A client's call as the server has it, with the client at its other end. */
export class SimClient {
  readonly feed: Feed;
  readonly name: string;
  /** How many events of the feed had reached the relay when it was admitted. */
  readonly joinedAt: number;
  readonly receipts: Receipts;
  /** Whether it has read at once all the time. */
  isFaithful: boolean;
  status: Status | undefined;
  isCancelled = false;
  /** What it must have been offered, once it has left. */
  offeredAtLeave = 0;
  readonly call: Call;
  readonly #world: World;
  readonly #over = new AbortController();
  #pace: Pace;
  /** Writes that were made together succeed or fail together: the connection takes them as one. */
  #pending: Write[][] = [];
  #corked: Write[] | undefined;
  #isReading = false;

  constructor(world: World, book: EventBook, feed: Feed, name: string, pace: Pace) {
    this.#world = world;
    this.feed = feed;
    this.name = name;
    this.#pace = pace;
    this.isFaithful = pace === "healthy";
    this.joinedAt = book.arrived(feed.id).events;
    this.receipts = new Receipts(book, world.judge, feed.id, name);
    this.receipts.begin(this.joinedAt);
    this.call = this.#newCall();
  }

  get isOpen(): boolean {
    return !this.#over.signal.aborted;
  }

  get isReading(): boolean {
    return this.#pace !== "stuck";
  }

  /** Whether the server still waits for a write. */
  get isBeingWrittenTo(): boolean {
    return this.#pending.length > 0;
  }

  setPace(pace: Pace): void {
    this.#pace = pace;
    if (pace !== "healthy") this.isFaithful = false;
    this.#readOn();
  }

  /** The client goes away, whatever is being written to it. */
  cancel(): void {
    if (this.isOpen) {
      this.isCancelled = true;
      this.#over.abort(new StatusError(Code.CANCELLED, "The client cancelled the call"));
    }
    const { clock, prng } = this.#world;
    // What is in the socket's hands may be sent or not; the server learns of it later.
    clock.after(prng.within(0, 5), () => this.#finish(prng.chance(0.3) ? this.#pending.length : 0));
  }

  #newCall(): Call {
    const { feed, name } = this;
    const end = (status: Status) => {
      if (!this.isOpen) return;
      this.#world.judge.check(
        this.#pending.length === 0 || this.#pace !== "healthy",
        "contract",
        () => `${name} is ended in the middle of a write`,
      );
      this.status = status;
      this.#over.abort(new StatusError(status.code, status.message));
    };
    const stream: EventStream & Pick<ServerHttp2Stream, "respond" | "resume"> = {
      respond: () => {},
      resume() {
        return this as unknown as ServerHttp2Stream;
      },
      cork: () => {
        this.#corked = [];
      },
      uncork: () => {
        const group = this.#corked ?? [];
        this.#corked = undefined;
        if (group.length > 0) this.#pending.push(group);
        this.#readOn();
      },
      write: (bytes, callback) => this.#write(bytes, callback),
    };
    return {
      stream: stream as unknown as ServerHttp2Stream,
      path: feed.path,
      peer: name,
      deadlineMs: undefined,
      signal: this.#over.signal,
      end,
      cut: (status) => {
        end(status);
        this.cancel();
      },
    };
  }

  #write(bytes: Buffer, callback: (error?: Error | null) => void): boolean {
    this.#world.judge.check(this.status === undefined, "contract", () => `${this.name} is written to after its end`);
    if (this.#corked === undefined) this.#pending.push([{ bytes, callback }]);
    else this.#corked.push({ bytes, callback });
    this.#readOn();
    return false;
  }

  #readOn(): void {
    if (this.#isReading || this.#pending.length === 0 || this.#pace === "stuck") return;
    this.#isReading = true;
    const { clock, prng } = this.#world;
    const afterMs = this.#pace === "healthy" ? prng.within(0, 0.5) : prng.within(5, 400);
    clock.after(afterMs, () => {
      this.#isReading = false;
      // A healthy client takes all that is there; a slow one takes a part, and its connection reports whole writes.
      if (this.#pace === "stuck") return;
      this.#finish(this.#pace === "healthy" ? this.#pending.length : prng.between(1, this.#pending.length));
      this.#readOn();
    });
  }

  /** The first writes succeed. Once the call was cancelled the others fail. */
  #finish(succeeding: number): void {
    const done = this.#pending.slice(0, succeeding).flat();
    this.#pending = this.#pending.slice(succeeding);
    const failed = this.isCancelled ? this.#pending.splice(0).flat() : [];
    for (const { bytes, callback } of done) {
      this.receipts.take(bytes);
      this.#world.trace.mix(this.receipts.events);
      callback();
    }
    if (failed.length > 0) this.#watchOver(failed);
    for (const { callback } of failed) callback(new Error("Stream reset"));
  }

  /** A connection may be sending for a while what a stream gave it that is gone. */
  #watchOver(writes: readonly Write[]): void {
    const copies = writes.map(({ bytes }) => Buffer.from(bytes));
    const { clock, judge, prng } = this.#world;
    clock.after(prng.within(0, 200), () => {
      const isSame = writes.every(({ bytes }, index) => copies[index]?.equals(bytes) === true);
      judge.check(isSame, "bytes", () => `what ${this.name} was being sent changes`);
    });
  }
}
