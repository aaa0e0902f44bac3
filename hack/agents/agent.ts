import { status } from "@grpc/grpc-js";
import type { Clock } from "../../lib/process/clock.ts";
import { delay } from "../../lib/process/clock.ts";
import type { EventCall, GrpcServer, Keepalive } from "./agent-server.ts";
import { createHealthServer, createLogServer } from "./agent-server.ts";
import type { FeedName } from "./contract.ts";
import { feedNames } from "./contract.ts";
import type { FeedCounts } from "./feed.ts";
import { AgentFeed } from "./feed.ts";
import type { Goaway, PrefixFault } from "./frames.ts";
import { goawayCodes } from "./frames.ts";
import { Listener } from "./listener.ts";
import { seededRandom } from "./random.ts";
import type { Wire } from "./wire.ts";

export interface AgentOptions {
  /** First name; a replacement gets another. No `/` or `;`. */
  readonly name: string;
  readonly host: string;
  readonly cluster: string;
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** 0 takes a free one; undefined: no health server. */
  readonly healthPort: number | undefined;
  readonly seed: number;
  readonly keepalive: Keepalive;
}

export interface AgentDeps {
  readonly clock: Clock;
}

/** One life of an agent's process. */
interface Life {
  readonly agent: string;
  readonly epoch: string;
  readonly feeds: Readonly<Record<FeedName, AgentFeed>>;
}

export interface LifeCounts {
  readonly agent: string;
  readonly epoch: string;
  readonly feeds: Readonly<Record<FeedName, FeedCounts>>;
}

export interface AgentCounts {
  readonly address: string;
  /** Oldest first, the last is the present one. */
  readonly lives: readonly LifeCounts[];
  readonly connections: number;
  /** PINGs that clients sent of their own: agents punish more than a few in five minutes. */
  readonly clientPings: number;
}

/** `protobuf`: a whole frame that is no message. `flag`, `length`: a gRPC prefix. `http2`: no HTTP/2 at all. */
export type GarbageForm = "protobuf" | PrefixFault | "http2";

interface Stream {
  readonly feed: FeedName;
  /** Stops the flow of events into it. `unwritten`: how many of those it took will not be delivered. */
  readonly leave: (unwritten: number) => void;
}

type Mode = "up" | "hung" | "down";

// A tag that is cut off; protobufjs would accept a text that is.
const brokenProtobuf = Buffer.from([0xff]);

/** One simulated KubeArmor agent: a gRPC server on an address of its own, and everything that can happen to it. */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #clock: Clock;
  readonly #logServer: GrpcServer;
  readonly #main: Listener;
  readonly #health: { readonly server: GrpcServer; readonly listener: Listener } | undefined;
  readonly #streams = new Map<EventCall, Stream>();
  readonly #ended = new AbortController();
  readonly #pastLives: LifeCounts[] = [];
  #waiting: { readonly feed: FeedName; readonly watchers: number; readonly resolve: () => void }[] = [];
  #lives = 0;
  #replacements = 0;
  #mode: Mode = "down";
  #healthDelayMs = 0;
  #life: Life;

  constructor(options: AgentOptions, deps: AgentDeps) {
    this.#options = options;
    this.#clock = deps.clock;
    const beforeHealth = (answer: () => void) => this.#beforeHealth(answer);
    const subscribe = (feed: FeedName, call: EventCall) => this.#subscribe(feed, call);
    this.#logServer = createLogServer({ subscribe, beforeHealth }, options.keepalive);
    const { address, port, healthPort } = options;
    const now = () => deps.clock.monotonic();
    this.#main = new Listener({ address, port }, { accept: (wire) => this.#logServer.accept(wire), now });
    if (healthPort !== undefined) {
      const server = createHealthServer(beforeHealth);
      const accept = (wire: Wire) => server.accept(wire);
      this.#health = { server, listener: new Listener({ address, port: healthPort }, { accept, now }) };
    }
    this.#life = this.#beginLife();
  }

  /** The name in its events. */
  get name(): string {
    return this.#life.agent;
  }

  get epoch(): string {
    return this.#life.epoch;
  }

  get host(): string {
    return this.#options.host;
  }

  /** host:port of the streams. */
  get address(): string {
    return `${this.#options.address}:${this.#main.port}`;
  }

  get healthAddress(): string | undefined {
    return this.#health === undefined ? undefined : `${this.#options.address}:${this.#health.listener.port}`;
  }

  async open(): Promise<void> {
    await this.#main.open();
    await this.#health?.listener.open();
    this.#mode = "up";
  }

  /** How many events of a feed this life has produced. */
  produced(feed: FeedName): number {
    return this.#life.feeds[feed].produced;
  }

  /** How many streams of a feed are open. */
  watchers(feed: FeedName): number {
    return this.#life.feeds[feed].watchers;
  }

  /** Resolves when that many streams of a feed are open. */
  async untilWatched(feed: FeedName, watchers = 1): Promise<void> {
    if (this.watchers(feed) >= watchers) return;
    await new Promise<void>((resolve) => this.#waiting.push({ feed, watchers, resolve }));
  }

  /** Produces events now and returns how many: none while the process hangs or is down. */
  produce(feed: FeedName, count: number): number {
    if (this.#mode !== "up") return 0;
    this.#life.feeds[feed].produce(count);
    return count;
  }

  counts(): AgentCounts {
    return {
      address: this.address,
      lives: [...this.#pastLives, this.#countLife()],
      connections: this.#main.wires.size,
      clientPings: this.#main.pings,
    };
  }

  /** Stops like a process that got SIGSTOP: connections stand, new ones are accepted, nothing is answered. */
  hang(options: { readonly forMs?: number } = {}): void {
    if (this.#mode !== "up") return;
    this.#mode = "hung";
    for (const listener of this.#listeners()) listener.freeze();
    if (options.forMs !== undefined) this.#clock.after(options.forMs, () => this.resume());
  }

  resume(): void {
    if (this.#mode !== "hung") return;
    this.#mode = "up";
    for (const listener of this.#listeners()) listener.thaw();
  }

  /** TCP RST on every connection. */
  reset(): void {
    for (const listener of this.#listeners()) for (const wire of listener.wires) wire.reset();
  }

  /** GOAWAY on every connection; streams go on until `cutAfterMs`, for ever without it. */
  goaway(options: Partial<Goaway> & { readonly cutAfterMs?: number } = {}): void {
    const { code = goawayCodes.noError, debug = "", cutAfterMs } = options;
    const wires = [...this.#main.wires];
    for (const wire of wires) wire.goaway({ code, debug });
    if (cutAfterMs === undefined) return;
    this.#clock.after(cutAfterMs, () => {
      for (const wire of wires) wire.cut();
    });
  }

  /** `flag` and `length` strike the next event of each connection, the others come at once. */
  garbage(form: GarbageForm, feed: FeedName = "alerts"): void {
    if (form === "protobuf") {
      this.#life.feeds[feed].interject(brokenProtobuf);
      return;
    }
    for (const wire of this.#main.wires) {
      if (form === "http2") wire.inject(Buffer.from("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"));
      else wire.breakNextPrefix(form);
    }
  }

  /** Ends the streams of a feed, as a failed Send in the agent does, with that status. */
  endStreams(feed: FeedName, code: status = status.INTERNAL): void {
    for (const [call, stream] of this.#streams) {
      if (stream.feed !== feed) continue;
      stream.leave(0);
      if (code === status.OK) call.end();
      else call.emit("error", { code, details: "the agent's stream failed" });
    }
  }

  /** Health checks, of both kinds, are answered that much later. */
  slowHealth(delayMs: number): void {
    this.#healthDelayMs = delayMs;
  }

  /** The process ends (its port refuses connections) and comes back as a new one. Resolves when it listens again. */
  async restart(options: { readonly downMs?: number } = {}): Promise<void> {
    await this.#stop();
    await delay(this.#clock, options.downMs ?? 0, this.#ended.signal);
    this.#pastLives.push(this.#countLife());
    this.#life = this.#beginLife();
    await this.open();
  }

  /** As `restart`, but what comes back is another pod with another name. */
  async replace(options: { readonly downMs?: number } = {}): Promise<void> {
    this.#replacements += 1;
    await this.restart(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#stop();
    this.#logServer.close();
    this.#health?.server.close();
  }

  async #stop(): Promise<void> {
    this.#mode = "down";
    await Promise.all(this.#listeners().map((listener) => listener.close()));
    for (const [call, stream] of this.#streams) stream.leave(call.writableLength);
  }

  #listeners(): readonly Listener[] {
    return this.#health === undefined ? [this.#main] : [this.#main, this.#health.listener];
  }

  #beginLife(): Life {
    this.#lives += 1;
    const { name, host, cluster, address, seed } = this.#options;
    const agent = this.#replacements === 0 ? name : `${name}-r${this.#replacements}`;
    // The time makes it differ from those of an earlier run with the same seed.
    const epoch = `${this.#clock.now().toString(36)}.${this.#lives}`;
    const place = { host, hostIp: address, cluster };
    const open = (feed: FeedName) => {
      const random = seededRandom(seed + this.#lives * feedNames.length + feedNames.indexOf(feed));
      return new AgentFeed({ feed, agent, epoch, place }, random);
    };
    return { agent, epoch, feeds: { alerts: open("alerts"), logs: open("logs"), messages: open("messages") } };
  }

  #countLife(): LifeCounts {
    const { agent, epoch, feeds } = this.#life;
    const { alerts, logs, messages } = feeds;
    return { agent, epoch, feeds: { alerts: alerts.counts(), logs: logs.counts(), messages: messages.counts() } };
  }

  #subscribe(feed: FeedName, call: EventCall): void {
    const agentFeed = this.#life.feeds[feed];
    const subscriber = agentFeed.subscribe(call);
    const leave = (unwritten: number) => {
      this.#streams.delete(call);
      agentFeed.unsubscribe(subscriber, unwritten);
    };
    this.#streams.set(call, { feed, leave });
    call.on("drain", () => subscriber.drained());
    // Comes before grpc-js throws away what it holds.
    call.on("cancelled", () => leave(call.writableLength));
    call.on("close", () => leave(0));
    const ready = this.#waiting.filter((wait) => this.watchers(wait.feed) >= wait.watchers);
    this.#waiting = this.#waiting.filter((wait) => !ready.includes(wait));
    for (const wait of ready) wait.resolve();
  }

  #beforeHealth(answer: () => void): void {
    if (this.#healthDelayMs === 0) answer();
    else this.#clock.after(this.#healthDelayMs, answer);
  }
}
