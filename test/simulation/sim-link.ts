import { constants } from "node:http2";
import type { Feed } from "../../relay/feeds.ts";
import type { StreamEnd } from "../../relay/nodes/grpc-call.ts";
import type { Link, LinkEvents, StreamEvents } from "../../relay/nodes/link.ts";
import type { SentEvent } from "./event-book.ts";
import type { SimAgent } from "./sim-agent.ts";
import { SimStream } from "./sim-stream.ts";
import type { World } from "./world.ts";

/** What a link tells whoever keeps the books. */
export interface LinkWitness {
  onArrival(event: SentEvent): void;
  onStreamAsked(feed: Feed): void;
  onStreamOpen(feed: Feed): void;
  onStreamOver(stream: SimStream, end: StreamEnd): void;
  onHealthy(): void;
  onOver(isByRelay: boolean): void;
}

/** A connection: what the agent says on it comes to the relay in order, after a while, in chunks of any size. */
export class SimLink implements Link {
  readonly agent: SimAgent;
  readonly streams = new Set<SimStream>();
  isUsable = true;
  isOver = false;
  isHealthy = false;
  /** Why the relay may hang up, and since when. */
  readonly reasons: string[] = [];
  lastHeardMs: number;
  /** The agent has announced its end: by then the relay must have hung up. */
  goneByMs = Number.POSITIVE_INFINITY;
  readonly #world: World;
  readonly #events: LinkEvents;
  readonly #witness: LinkWitness;
  readonly #health = Promise.withResolvers<void>();
  #isHealthAsked = false;
  #isFrozen = false;
  #held: (() => void)[] = [];
  #lastInboundMs = 0;

  constructor(world: World, agent: SimAgent, events: LinkEvents, witness: LinkWitness) {
    this.#world = world;
    this.agent = agent;
    this.#events = events;
    this.#witness = witness;
    this.lastHeardMs = world.clock.now();
    // Nobody may have asked for it.
    this.#health.promise.catch(() => {});
    this.#ping();
  }

  get unreadBytes(): number {
    let sum = 0;
    for (const stream of this.streams) sum += stream.unreadBytes;
    return sum;
  }

  watch(feed: Feed, events: StreamEvents, signal: AbortSignal): Promise<StreamEnd> {
    this.#witness.onStreamAsked(feed);
    if (!this.isUsable || signal.aborted)
      return Promise.resolve({ kind: "refused", code: undefined, message: "The connection is closed" });
    const stream = new SimStream(feed, events, this.#world.plan.stream, {
      onArrival: (event) => this.#witness.onArrival(event),
      onHeard: () => this.#heard(),
      onOpen: () => this.#witness.onStreamOpen(feed),
      onOver: (over, end) => {
        signal.removeEventListener("abort", cancel);
        this.streams.delete(over);
        this.#witness.onStreamOver(over, end);
      },
    });
    const cancel = () => stream.finish({ kind: "broken", message: "Cancelled" });
    signal.addEventListener("abort", cancel, { once: true });
    this.streams.add(stream);
    if (this.isHealthy) stream.open();
    this.#world.clock.after(this.#world.latencyMs(), () => this.agent.serve(this, stream));
    return stream.ended;
  }

  checkHealth(): Promise<void> {
    this.#isHealthAsked = true;
    const { clock, plan } = this.#world;
    const deadline = clock.after(plan.node.healthDeadlineMs, () => this.#failHealth("HealthCheck: no answer in time"));
    const answer = this.agent.answerHealth();
    if (answer.kind === "hangs") return this.#health.promise;
    clock.after(answer.afterMs, () =>
      this.inbound(() => {
        deadline();
        if (answer.kind === "fails") this.#failHealth("HealthCheck: another number came back");
        else if (!this.isHealthy) {
          this.#heard();
          this.isHealthy = true;
          this.#witness.onHealthy();
          for (const stream of this.streams) stream.open();
          this.#health.resolve();
        }
      }),
    );
    return this.#health.promise;
  }

  destroy(): void {
    this.#end(true);
    // As a socket does, it tells of its end even if it was the relay that ended it.
    this.#events.onLost(new Error("Connection closed"));
  }

  /** The connection goes away, with what is under way on it. */
  lose(reason: string): void {
    if (this.isOver) return;
    this.reasons.push(reason);
    this.#end(false);
    this.#events.onLost(new Error(reason));
  }

  /** Something from the agent's side, which is behind everything that was sent before. */
  inbound(arrive: () => void): void {
    const { clock } = this.#world;
    const atMs = Math.max(this.#lastInboundMs, clock.now() + this.#world.latencyMs());
    this.#lastInboundMs = atMs;
    clock.after(atMs - clock.now(), () => {
      if (this.isOver) return;
      if (this.#isFrozen) this.#held.push(arrive);
      else arrive();
    });
  }

  /** From now on nothing comes, and nobody says so. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    const held = this.#held;
    this.#held = [];
    for (const arrive of held) if (!this.isOver) arrive();
  }

  /** The agent announces the end. */
  goaway(code: number): void {
    this.inbound(() => {
      this.#heard();
      this.isUsable = false;
      const graceMs = code === constants.NGHTTP2_NO_ERROR ? this.#world.plan.node.goawayGraceMs : 0;
      this.goneByMs = Math.min(this.goneByMs, this.#world.clock.now() + graceMs);
      this.reasons.push(`GOAWAY ${code}`);
      this.#events.onGoaway(code);
    });
  }

  /** Lets the relay read what the agent has written to the stream, all or some of it. */
  flush(stream: SimStream): void {
    this.inbound(() => {
      stream.read(this.#world.chunkBytes());
      if (stream.unreadBytes > 0 && !stream.isOver) this.flush(stream);
    });
  }

  #ping(): void {
    this.#world.clock.after(this.#world.plan.node.silenceMs / 6, () => {
      if (this.isOver) return;
      if (this.agent.isAlive) this.inbound(() => this.#heard());
      this.#ping();
    });
  }

  #heard(): void {
    this.lastHeardMs = this.#world.clock.now();
    this.#events.onHeard();
  }

  #failHealth(message: string): void {
    if (this.isHealthy || this.isOver) return;
    this.reasons.push(message);
    this.#health.reject(new Error(message));
  }

  #end(isByRelay: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isUsable = false;
    this.#held = [];
    this.agent.links.delete(this);
    this.#witness.onOver(isByRelay);
    for (const stream of this.streams) stream.finish({ kind: "broken", message: "The connection is gone" });
    if (this.#isHealthAsked && !this.isHealthy) this.#health.reject(new Error("The connection is gone"));
  }
}
