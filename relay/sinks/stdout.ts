import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import { type FeedId, feeds } from "../feeds.ts";
import type { Batch, Consumer } from "../hub/batch.ts";
import type { ConsumerCounts } from "../hub/counts.ts";
import { Pacer } from "../hub/pacer.ts";
import type { ChunkWriter, WriteResult } from "./chunk-writer.ts";
import { FeedLines } from "./feed-lines.ts";
import { jsonLineTables } from "./json-line-table.ts";
import { viewOf } from "./json-line-text.ts";
import { LossReport } from "./loss-report.ts";

export interface StdoutSinkOptions {
  /** What may wait per feed, as it came from the wire: a flood of logs must not push alerts out. */
  readonly maxQueueBytes: number;
}

export interface StdoutSinkDeps {
  readonly writer: ChunkWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/** A chunk is what a pipe holds on Linux, so that one write can take it whole. */
const chunkBytes = 64 * 1024;
/** In one turn of the event loop: a millisecond or so of work, so that printing keeps pace with reading and stalls nobody. */
const maxChunksPerTurn = 4;
/** Between two starts of printing: waking up for a few lines costs more than the lines. */
const minIntervalMs = 10;

/**
 * Prints the events of all feeds as JSON lines. It is subscribed to a feed and unsubscribed at any time: what it was
 * offered is printed. One chunk is rendered and written at a time, so that a stuck reader costs the queues and nothing
 * else, and the event loop is held for a few chunks at most.
 */
export class StdoutSink implements Consumer {
  readonly #writer: ChunkWriter;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #losses: LossReport;
  readonly #lines: Readonly<Record<FeedId, FeedLines>>;
  readonly #start: Pacer;
  readonly #page = viewOf(Buffer.allocUnsafeSlow(chunkBytes));
  /** Feeds take turns; the next one to look at. */
  #turn = 0;
  /** Written since the event loop got its turn. */
  #chunks = 0;
  #state: "idle" | "busy" | "disconnected" | "shutdown" = "idle";
  #onIdle = () => {};

  constructor(options: StdoutSinkOptions, deps: StdoutSinkDeps) {
    const { maxQueueBytes } = options;
    const linesOf = (feed: FeedId) =>
      new FeedLines({ table: jsonLineTables[feed], maxQueueBytes }, (reason, events) =>
        this.#losses.add(feed, reason, events),
      );
    this.#lines = { alerts: linesOf("alerts"), logs: linesOf("logs"), messages: linesOf("messages") };
    this.#writer = deps.writer;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#losses = new LossReport({ sink: "stdout" }, deps);
    this.#start = new Pacer({ minIntervalMs }, deps.clock, () => this.#writeNext());
  }

  offer(batch: Batch): void {
    const lines = this.#lines[batch.feed];
    switch (this.#state) {
      case "idle":
        lines.accept(batch);
        this.#state = "busy";
        this.#start.request();
        break;
      case "busy":
        lines.accept(batch);
        break;
      default:
        lines.refuse(batch, this.#state);
        this.#losses.add(batch.feed, this.#state, batch.events);
    }
  }

  /** Whether there is nothing left to write to. */
  get isDisconnected(): boolean {
    return this.#state === "disconnected";
  }

  counts(feed: FeedId): ConsumerCounts {
    return this.#lines[feed].counts();
  }

  get queuedBytes(): number {
    return feeds.reduce((sum, { id }) => sum + this.#lines[id].queuedBytes, 0);
  }

  /** Prints what is queued until `signal` aborts, which drops the rest. Afterwards nothing is printed any more. */
  async close(signal: AbortSignal): Promise<void> {
    if (this.#state === "busy" && !signal.aborted) {
      // Timers of the clock do not keep the process alive, and the writer may have no more than one of them.
      const keepAlive = setInterval(() => {}, 60_000);
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      clearInterval(keepAlive);
    }
    if (this.#state === "idle" || this.#state === "busy") this.#end("shutdown");
    this.#losses.flush();
  }

  /** Lets the rest have its turn before it goes on. */
  #writeInNextTurn(): void {
    this.#clock.soon(() => {
      this.#chunks = 0;
      this.#writeNext();
    });
  }

  /** Renders and writes one chunk. */
  readonly #writeNext = (): void => {
    if (this.#state !== "busy") return;
    const next = this.#nextFeed();
    if (next === undefined) {
      this.#state = "idle";
      this.#onIdle();
      return;
    }
    const lines = this.#lines[next];
    const unreadableBefore = lines.unreadable;
    const chunk = lines.render(this.#page);
    this.#losses.add(next, "unreadable", lines.unreadable - unreadableBefore);
    if (chunk.length === 0) this.#writeInNextTurn();
    else this.#writer.write(chunk, (result) => this.#onResult(lines, result));
  };

  #onResult(lines: FeedLines, result: WriteResult): void {
    if (this.#state !== "busy") return;
    if (result.kind === "written") {
      lines.settle();
      this.#chunks++;
      // A pipe that took a chunk whole is being emptied by its reader meanwhile.
      if (this.#chunks < maxChunksPerTurn) this.#writeNext();
      else this.#writeInNextTurn();
      return;
    }
    this.#log.error("Cannot write to stdout: no more events are printed", { error: result.error });
    this.#end("disconnected");
    this.#onIdle();
  }

  #nextFeed(): FeedId | undefined {
    for (let looked = 0; looked < feeds.length; looked++) {
      const feed = feeds[this.#turn]?.id;
      this.#turn = (this.#turn + 1) % feeds.length;
      if (feed !== undefined && this.#lines[feed].waiting > 0) return feed;
    }
    return undefined;
  }

  #end(reason: "disconnected" | "shutdown"): void {
    this.#state = reason;
    for (const { id } of feeds) this.#losses.add(id, reason, this.#lines[id].abandon(reason));
    this.#writer.close();
  }
}
