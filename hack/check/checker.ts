import type { ClientReadableStream, StatusObject } from "@grpc/grpc-js";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { Clock } from "../../lib/process/clock.ts";
import { systemClock } from "../../lib/process/clock.ts";
import type { FeedName } from "../agents/contract.ts";
import { decodeEvent, feedNames, healthCheck, rawStream } from "../agents/contract.ts";
import type { TallyReport } from "./tally.ts";
import { Tally } from "./tally.ts";

export interface CheckerOptions {
  /** Default: all three. */
  readonly feeds?: readonly FeedName[];
  /** Default `all`. */
  readonly filter?: string;
  /** Decodes every n-th event in full; 1, the default, all of them. The mark of every event is read in any case. */
  readonly decodeEvery?: number;
  /** Opens a stream again after it ended. Default false. */
  readonly reconnect?: boolean;
  /** For the answer to the HealthCheck that follows the subscriptions. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface CheckerDeps {
  readonly clock: Clock;
}

export interface StreamEnd {
  readonly feed: FeedName;
  /** Name of the gRPC status. */
  readonly code: string;
  readonly details: string;
}

export interface CheckReport extends TallyReport {
  readonly address: string;
  /** Streams that ended by themselves. */
  readonly ended: readonly StreamEnd[];
}

const reconnectMs = 200;

/** A subscriber that checks the numbers of what it gets, from agents or from a relay. */
export class Checker implements AsyncDisposable {
  readonly #address: string;
  readonly #options: CheckerOptions;
  readonly #clock: Clock;
  readonly #client: Client;
  readonly #tally = new Tally();
  readonly #calls = new Map<FeedName, ClientReadableStream<Buffer>>();
  readonly #ended: StreamEnd[] = [];
  readonly #cancels = new Set<() => void>();
  #waiting: { readonly reached: () => boolean; readonly resolve: () => void }[] = [];
  #stopped = false;
  #paused = false;
  #seen = 0;

  constructor(address: string, options: CheckerOptions, deps: CheckerDeps) {
    this.#address = address;
    this.#options = options;
    this.#clock = deps.clock;
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      // Otherwise checkers of one process would share a connection.
      "grpc.use_local_subchannel_pool": 1,
      "grpc-node.flow_control_window": 4 * 1024 * 1024,
    });
  }

  /** Subscribes as karmor does: streams first, then a HealthCheck, whose answer says that the streams are open. */
  async open(): Promise<void> {
    for (const feed of this.#options.feeds ?? feedNames) this.#subscribe(feed);
    const nonce = 1 + Math.floor(Math.random() * 0x7ffffffe);
    const reply = await this.healthCheck(nonce);
    if (reply !== nonce) throw new Error(`Cannot trust ${this.#address}: HealthCheck of ${nonce} answered ${reply}`);
  }

  /** What the server answers to that number. */
  healthCheck(nonce: number): Promise<number> {
    const deadline = new Date(Date.now() + (this.#options.timeoutMs ?? 10_000));
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        healthCheck.path,
        healthCheck.requestSerialize,
        healthCheck.responseDeserialize,
        { nonce },
        new Metadata({ waitForReady: true }),
        { deadline },
        (error, reply) => {
          if (error === null) resolve((reply as { readonly Retval?: number }).Retval ?? 0);
          else reject(new Error(`Cannot check the health of ${this.#address}`, { cause: error }));
        },
      );
    });
  }

  report(): CheckReport {
    return { address: this.#address, ...this.#tally.report(), ended: [...this.#ended] };
  }

  /** Resolves when that many events with marks have come in all. */
  untilEvents(count: number): Promise<void> {
    return this.#until(() => this.#tally.events >= count);
  }

  /** Resolves when that many events without marks or not decodable have come. */
  untilGarbage(count = 1): Promise<void> {
    return this.#until(() => this.#tally.garbage >= count);
  }

  /** Resolves when that many streams have ended by themselves. */
  untilEnded(count = 1): Promise<void> {
    return this.#until(() => this.#ended.length >= count);
  }

  /** Reads no more: the subscriber that is too slow. */
  pause(): void {
    this.#paused = true;
    for (const call of this.#calls.values()) call.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const call of this.#calls.values()) call.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    const closed = [...this.#calls.values()].map((call) => new Promise((resolve) => call.once("status", resolve)));
    for (const call of this.#calls.values()) {
      call.resume();
      call.cancel();
    }
    await Promise.all(closed);
    this.#client.close();
  }

  #subscribe(feed: FeedName): void {
    const { path, requestSerialize, responseDeserialize } = rawStream(feed);
    const request = { Filter: this.#options.filter ?? "all" };
    const metadata = new Metadata({ waitForReady: true });
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata);
    this.#calls.set(feed, call);
    call.on("data", (event: Buffer) => this.#count(event, feed));
    // Followed by `status`, which is where the end is recorded.
    call.on("error", () => {});
    call.on("status", (end: StatusObject) => this.#end(feed, end));
    if (this.#paused) call.pause();
  }

  #count(event: Buffer, feed: FeedName): void {
    this.#seen += 1;
    if (this.#seen % (this.#options.decodeEvery ?? 1) === 0 && !isDecodable(event, feed)) this.#tally.addGarbage();
    else this.#tally.add(event, feed);
    this.#wake();
  }

  #end(feed: FeedName, end: StatusObject): void {
    this.#calls.delete(feed);
    if (this.#stopped) return;
    this.#ended.push({ feed, code: status[end.code], details: end.details });
    this.#wake();
    if (this.#options.reconnect !== true) return;
    const cancel = this.#clock.after(reconnectMs, () => {
      this.#cancels.delete(cancel);
      this.#subscribe(feed);
    });
    this.#cancels.add(cancel);
  }

  async #until(reached: () => boolean): Promise<void> {
    if (reached()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ reached, resolve }));
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const still = this.#waiting.filter((wait) => {
      if (!wait.reached()) return true;
      wait.resolve();
      return false;
    });
    this.#waiting = still;
  }
}

function isDecodable(event: Buffer, feed: FeedName): boolean {
  try {
    decodeEvent(feed, event);
    return true;
  } catch {
    // That it cannot be decoded is the answer.
    return false;
  }
}

/** Subscribes at host:port; resolves when the streams are open. Whoever starts a checker disposes of it. */
export async function startChecker(
  address: string,
  options: CheckerOptions = {},
  deps: CheckerDeps = { clock: systemClock },
): Promise<Checker> {
  const checker = new Checker(address, options, deps);
  try {
    await checker.open();
  } catch (error) {
    await checker[Symbol.asyncDispose]();
    throw error;
  }
  return checker;
}
