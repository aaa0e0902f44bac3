import { constants } from "node:http2";
import { status as Code } from "@grpc/grpc-js";
import { type FeedId, feeds } from "../../relay/feeds.ts";
import type { StreamEnd } from "../../relay/nodes/grpc-call.ts";
import type { EventBook, EventKind, Source } from "./event-book.ts";
import type { SimLink } from "./sim-link.ts";
import type { SimStream } from "./sim-stream.ts";
import type { World } from "./world.ts";

export type HealthAnswer =
  | { readonly kind: "answers" | "fails"; readonly afterMs: number }
  | { readonly kind: "hangs" };

/** How an agent breaks a stream. */
export type StreamFault = "status" | "reset" | "compressed" | "too-large" | "truncated" | "refused";

/** One life of an agent's process: what it sends, and how it fails. */
export class SimAgent {
  readonly uid: string;
  readonly endpoint: string;
  readonly links = new Set<SimLink>();
  isAlive = true;
  /** Serves no stream of these feeds. */
  readonly refused = new Set<FeedId>();
  health: "answers" | "slow" | "fails" | "hangs" | "absent" = "answers";
  readonly #world: World;
  readonly #book: EventBook;
  readonly #sources: ReadonlyMap<FeedId, Source>;

  constructor(world: World, book: EventBook, uid: string, endpoint: string) {
    this.#world = world;
    this.#book = book;
    this.uid = uid;
    this.endpoint = endpoint;
    this.#sources = new Map(feeds.map(({ id }) => [id, book.newSource(uid, id)]));
  }

  answerHealth(): HealthAnswer {
    const { plan, prng } = this.#world;
    switch (this.health) {
      case "hangs":
        return { kind: "hangs" };
      case "fails":
        return { kind: "fails", afterMs: 0 };
      case "slow":
        return { kind: "answers", afterMs: prng.within(0.3, 1.2) * plan.node.healthDeadlineMs };
      case "answers":
      // An agent without the method has answered: that is what the link makes of it.
      case "absent":
        return { kind: "answers", afterMs: 0 };
    }
  }

  /** The request for a stream has come. */
  serve(link: SimLink, stream: SimStream): void {
    if (stream.isOver || !this.isAlive) return;
    if (this.refused.has(stream.feed.id)) {
      link.inbound(() => stream.finish({ kind: "refused", code: Code.UNIMPLEMENTED, message: "UNIMPLEMENTED" }));
      return;
    }
    stream.isServed = true;
  }

  /** Sends events of a feed to whoever watches it; nobody keeps what nobody watches. */
  emit(feed: FeedId, sizes: readonly number[], kind: EventKind = "plain"): void {
    const source = this.#sources.get(feed);
    if (source === undefined || !this.isAlive) return;
    const streams = this.#streamsOf(feed);
    for (const size of sizes) {
      const event = this.#book.newEvent(source, size, kind);
      for (const { link, stream } of streams) {
        // The agent's queue is full: it drops, and says nothing.
        if (link.unreadBytes + event.frame.length <= this.#world.plan.maxUnreadBytes) stream.write(event);
      }
    }
    for (const { link, stream } of streams) link.flush(stream);
  }

  breakStream(feed: FeedId, fault: StreamFault): void {
    for (const { link, stream } of this.#streamsOf(feed)) {
      stream.isServed = false;
      switch (fault) {
        case "status":
          endBy(link, stream, { kind: "status", code: Code.INTERNAL, message: "INTERNAL" });
          break;
        case "reset":
          link.inbound(() => stream.finish({ kind: "broken", message: `Reset ${constants.NGHTTP2_INTERNAL_ERROR}` }));
          break;
        case "refused":
          link.inbound(() => stream.finish({ kind: "refused", code: undefined, message: "REFUSED_STREAM" }));
          break;
        case "compressed":
          stream.writeBytes(Buffer.of(1, 0, 0, 0, 9, 1, 2, 3));
          link.flush(stream);
          break;
        case "too-large":
          stream.writeBytes(Buffer.of(0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3));
          link.flush(stream);
          break;
        case "truncated":
          stream.writeBytes(Buffer.from([0, 0, 0, 0, 200, 1, 2, 3].slice(0, this.#world.prng.between(1, 8))));
          endBy(link, stream, { kind: "status", code: Code.OK, message: "" });
          break;
      }
    }
  }

  /** The process dies: with a FIN or a reset for its connections, or so that nobody learns of it. */
  die(isSilent: boolean): void {
    this.isAlive = false;
    for (const link of this.links) {
      if (isSilent) link.freeze();
      else link.lose("Agent closed the connection");
    }
  }

  #streamsOf(feed: FeedId): { readonly link: SimLink; readonly stream: SimStream }[] {
    return [...this.links].flatMap((link) =>
      [...link.streams]
        .filter((stream) => stream.isServed && stream.feed.id === feed)
        .map((stream) => ({ link, stream })),
    );
  }
}

function endBy(link: SimLink, stream: SimStream, end: StreamEnd): void {
  link.inbound(() => stream.endWith(end));
}
