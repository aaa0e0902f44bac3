import { type FeedId, feeds } from "../feeds.ts";
import { framePrefixBytes } from "../wire/frame-cutter.ts";
import { clusterNameField, isClusterName, lacksClusterName } from "./cluster-name.ts";
import { EventFields } from "./event-fields.ts";
import type { HostLookup } from "./host-index.ts";
import { peerOf, remoteHostSuffix, connectionMark, resourceField } from "./remote-host.ts";
import { type AddedField, fieldBytes, RunRewriter } from "./run-rewriter.ts";

/** 4 MiB: what gRPC clients take by default. An event that the agent could send must not grow out of their reach. */
const maxMessageBytes = 4 * 1024 * 1024;

export interface EnricherSettings {
  /** For events that do not name their cluster; "" or `default` = leave them. */
  readonly clusterName: string;
  /** Who the peers of connections are; undefined = do not say. */
  readonly hosts: HostLookup | undefined;
}

/** Events of one feed, by what became of them. Those that nobody wanted to add anything to are not counted. */
export interface EnrichCounts {
  /** A remotehost was added. */
  hostAdded: number;
  /** The peer of a TCP connection is no pod or service that is known: outside of the cluster, or not listed (yet). */
  hostUnknown: number;
  /** A remotehost was there already. */
  hostPresent: number;
  clusterNameAdded: number;
  /** Left as it was: malformed, or with text that is not UTF-8. */
  unreadable: number;
  /** Left as it was: it would have become larger than 4 MiB. */
  tooLarge: number;
}

/** Adds what the relay knows to events, as fields at their end. All else of an event stays as the agent sent it. */
export class Enricher {
  readonly #fields = new EventFields();
  readonly #rewriter = new RunRewriter();
  readonly #counts: Readonly<Record<FeedId, EnrichCounts>>;
  #hosts: HostLookup | undefined;
  #clusterName: AddedField | undefined;

  constructor() {
    const entries = feeds.map(({ id }) => [id, noCounts()] as const);
    this.#counts = Object.fromEntries(entries) as Record<FeedId, EnrichCounts>;
  }

  /** For the runs that come from now on. */
  configure({ clusterName, hosts }: EnricherSettings): void {
    this.#hosts = hosts;
    this.#clusterName = isClusterName(clusterName)
      ? { number: clusterNameField, text: Buffer.from(clusterName), suffix: undefined }
      : undefined;
  }

  counts(feed: FeedId): Readonly<EnrichCounts> {
    return this.#counts[feed];
  }

  /**
   * The same frames in the same order, some with fields added: the very run if none is, else a buffer that is valid until
   * the next call, as the run is.
   */
  apply(feed: FeedId, run: Buffer, events: number): Buffer {
    // Only logs have a Resource that says who the peer is.
    let mark = this.#hosts !== undefined && feed === "logs" ? run.indexOf(connectionMark) : -1;
    const fillsName = this.#clusterName !== undefined;
    if (mark < 0 && !fillsName) return run;
    this.#rewriter.begin(run);
    for (let left = events, at = 0; left > 0; left--) {
      const start = at + framePrefixBytes;
      const end = start + run.readUInt32BE(at + 1);
      const isMarked = mark >= 0 && mark < end;
      if (fillsName || isMarked) this.#enrich(feed, run, start, end, isMarked);
      if (isMarked) {
        mark = run.indexOf(connectionMark, end);
        if (mark < 0 && !fillsName) break;
      }
      at = end;
    }
    return this.#rewriter.end();
  }

  #enrich(feed: FeedId, run: Buffer, start: number, end: number, isMarked: boolean): void {
    const counts = this.#counts[feed];
    const fields = this.#fields;
    if (!fields.read(run, start, end)) {
      counts.unreadable += 1;
      return;
    }
    const resource = isMarked ? this.#namedResource(run, counts) : undefined;
    const name = this.#clusterName;
    const clusterName = name !== undefined && lacksClusterName(run, fields) ? name : undefined;
    if (resource === undefined && clusterName === undefined) return;
    if (!fields.isReadable(feed, run, start, end)) {
      counts.unreadable += 1;
      return;
    }
    const added = [resource, clusterName].filter((field) => field !== undefined);
    if (added.reduce((bytes, field) => bytes + fieldBytes(field), end - start) > maxMessageBytes) {
      counts.tooLarge += 1;
      return;
    }
    this.#rewriter.extend(start, end, added);
    if (resource !== undefined) counts.hostAdded += 1;
    if (clusterName !== undefined) counts.clusterNameAdded += 1;
  }

  /** The Resource of a log with the name of its peer, if it has one that is known. */
  #namedResource(run: Buffer, counts: EnrichCounts): AddedField | undefined {
    const fields = this.#fields;
    const peer = peerOf(run, fields);
    if (peer.kind === "none") return undefined;
    if (peer.kind === "named") {
      counts.hostPresent += 1;
      return undefined;
    }
    const owner = this.#hosts?.lookup(peer.address);
    if (owner === undefined) {
      counts.hostUnknown += 1;
      return undefined;
    }
    const text = run.subarray(fields.start(resourceField), fields.end(resourceField));
    return { number: resourceField, text, suffix: remoteHostSuffix(owner) };
  }
}

function noCounts(): EnrichCounts {
  return { hostAdded: 0, hostUnknown: 0, hostPresent: 0, clusterNameAdded: 0, unreadable: 0, tooLarge: 0 };
}
