import { type LogFields, type Log, silentLog } from "../../lib/process/log.ts";
import { type FeedId, feeds } from "../../relay/feeds.ts";
import { FeedSwitch } from "../../relay/hub/feed-switch.ts";
import { Hub } from "../../relay/hub/hub.ts";
import type { OpenLink } from "../../relay/nodes/link.ts";
import { NodePool } from "../../relay/nodes/node-pool.ts";
import { Slots } from "../../relay/nodes/slots.ts";
import { Subscriptions } from "../../relay/server/watch.ts";
import type { ChunkWriter } from "../../relay/sinks/chunk-writer.ts";
import { StdoutSink } from "../../relay/sinks/stdout.ts";
import type { Plan } from "./plan.ts";
import type { ClockView } from "./sim-clock.ts";

export interface RelayEdges {
  readonly clock: ClockView;
  readonly random: () => number;
  readonly openLink: OpenLink;
  readonly stdout: ChunkWriter;
}

/** The relay's data plane, put together as relay.ts does, with nothing around it. */
export class RelayUnderTest {
  readonly clock: ClockView;
  readonly hub: Hub;
  readonly nodes: NodePool;
  readonly subscriptions: Subscriptions;
  readonly stdout: StdoutSink;
  readonly printed: FeedSwitch;
  /** Events that the log says stdout lost, by feed. */
  readonly reportedLosses = new Map<FeedId, number>();

  constructor(plan: Plan, { clock, random, openLink, stdout }: RelayEdges) {
    this.clock = clock;
    this.hub = new Hub(plan.hub, clock);
    this.nodes = new NodePool(
      plan.node,
      {
        publish: (feed, run, events) => this.hub.publish(feed, run, events),
        dialling: new Slots(plan.dialSlots),
        clock,
        random,
        log: silentLog,
      },
      openLink,
    );
    this.subscriptions = new Subscriptions(plan.subscriptions, this.hub, clock);
    const log: Log = { ...silentLog, warn: (message, fields) => this.#noteLoss(message, fields) };
    this.stdout = new StdoutSink({ maxQueueBytes: plan.stdoutQueueBytes }, { writer: stdout, clock, log });
    this.printed = new FeedSwitch(this.hub, this.stdout);
  }

  /** As relay.ts does it; `hangUp` = what the server does with the connections that are left at the deadline. */
  async drain(deadline: AbortSignal, hangUp: () => void): Promise<void> {
    await this.nodes[Symbol.asyncDispose]();
    this.hub.flush();
    const clients = Promise.race([this.subscriptions.drain(), aborted(deadline)]).then(hangUp);
    await Promise.all([this.stdout.close(deadline), clients]);
  }

  #noteLoss(message: string, fields: LogFields | undefined): void {
    if (message !== "Sink lost events") return;
    const events = fields?.["events"] as Readonly<Record<string, number>>;
    for (const { id } of feeds) {
      for (const [key, lost] of Object.entries(events)) {
        if (key.startsWith(`${id}.`)) this.reportedLosses.set(id, (this.reportedLosses.get(id) ?? 0) + lost);
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
