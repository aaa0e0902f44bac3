import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { KubeClient } from "../lib/kube/types.ts";
import type { Clock, Random } from "../lib/process/clock.ts";
import type { Log } from "../lib/process/log.ts";
import type { NamespacedName } from "./config.ts";
import { FencedWriter } from "./election/fenced-writer.ts";
import { PrintGate } from "./election/print-gate.ts";
import { PrintingTurns, type TurnStatus } from "./election/printing-turns.ts";
import { type FeedId, feeds } from "./feeds.ts";
import { FeedSwitch } from "./hub/feed-switch.ts";
import type { Hub } from "./hub/hub.ts";
import type { ChunkWriter } from "./sinks/chunk-writer.ts";
import { StdoutSink } from "./sinks/stdout.ts";

export interface PrintingOptions {
  /** What may wait per feed. */
  readonly maxQueueBytes: number;
  /** Of the replicas that share it, the one that holds it prints; undefined = this one always does. */
  readonly lease: NamespacedName | undefined;
  /** What its name in the lease begins with. Default: the host's name. */
  readonly identity: string | undefined;
}

export interface PrintingDeps {
  readonly writer: ChunkWriter;
  readonly hub: Hub;
  /** For the lease alone, as renewals must not wait behind other requests; undefined = there is no cluster. */
  readonly newClient: (() => KubeClient & AsyncDisposable) | undefined;
  /** Whether events of every agent come here; undefined = from the first event on. */
  readonly isReceiving?: (() => boolean) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What is printed: the feeds that are switched on, while it is this replica's turn. */
export interface Printing {
  apply(isOn: Readonly<Record<FeedId, boolean>>): void;
  /** Feeds that are switched on, and have somewhere to go. */
  readonly printed: readonly FeedId[];
  /** Whether stdout is closed, so that nothing is printed any more. */
  readonly isStdoutClosed: boolean;
  counts: StdoutSink["counts"];
  /** What the hub says it must have been offered. */
  expected(feed: FeedId): number;
  readonly queuedBytes: number;
  /** Undefined when this replica always prints. */
  readonly turns: TurnStatus | undefined;
  /** From now on events go to other replicas only; those that are on their way here may still come. */
  endInput(): void;
  /** Prints what is queued until `deadline` aborts, then lets another replica print. No more events may come. */
  drain(deadline: AbortSignal): Promise<void>;
}

export function startPrinting(options: PrintingOptions, deps: PrintingDeps): Printing {
  const { lease } = options;
  if (lease === undefined) return printAlways(options, deps);
  if (deps.newClient === undefined) throw new Error(`Cannot hold the Lease "${lease.name}" without a cluster`);
  return printInTurns(options, lease, deps.newClient(), deps);
}

function printAlways(options: PrintingOptions, { writer, hub, clock, log }: PrintingDeps): Printing {
  const stdout = new StdoutSink(options, { writer, clock, log });
  const feedSwitch = new FeedSwitch(hub, stdout);
  return {
    apply: (isOn) => feedSwitch.apply(isOn),
    get printed() {
      return stdout.isDisconnected ? [] : feedSwitch.on;
    },
    get isStdoutClosed() {
      return stdout.isDisconnected;
    },
    counts: (feed) => stdout.counts(feed),
    expected: (feed) => feedSwitch.expected(feed),
    get queuedBytes() {
      return stdout.queuedBytes;
    },
    turns: undefined,
    endInput() {},
    drain: (deadline) => stdout.close(deadline),
  };
}

function printInTurns(
  options: PrintingOptions,
  lease: NamespacedName,
  client: KubeClient & AsyncDisposable,
  deps: PrintingDeps,
): Printing {
  const { hub, clock, random, log } = deps;
  const writer = new FencedWriter(deps.writer, {
    clock,
    mayWrite: () => turns.mayPrint(),
    onClosed: () => turns.giveUp(),
  });
  const stdout = new StdoutSink(options, { writer, clock, log });
  const gate = new PrintGate({ maxBytes: options.maxQueueBytes }, stdout);
  const turns = new PrintingTurns(
    // A predecessor in the same pod must count as another: what it has not printed is for the replicas that were there.
    { ...lease, identity: `${options.identity ?? hostname()}_${randomUUID()}` },
    {
      client,
      clock,
      random,
      log,
      gate,
      flush: () => hub.flush(),
      isReceiving: deps.isReceiving,
      onTurn: (isOurs) => writer.setTurn(isOurs),
    },
  );
  const feedSwitch = new FeedSwitch(hub, gate);
  return {
    apply: (isOn) => feedSwitch.apply(isOn),
    get printed() {
      return stdout.isDisconnected ? [] : feedSwitch.on;
    },
    get isStdoutClosed() {
      return stdout.isDisconnected;
    },
    counts: (feed) => gate.counts(feed),
    expected: (feed) => feedSwitch.expected(feed),
    get queuedBytes() {
      return stdout.queuedBytes + gate.keptBytes;
    },
    get turns() {
      return turns.status;
    },
    endInput: () => turns.endInput(),
    async drain(deadline) {
      if (gate.isOpen) await stdout.close(deadline);
      // With a last word on what is not printed: only then may it go.
      await turns[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
      await stdout.close(AbortSignal.abort());
      const events = gate.end(turns.isOtherPrinting);
      if (feeds.some(({ id }) => events[id] > 0)) {
        log.warn("Events were kept that no other replica is known to print: they are dropped", { events });
      }
    },
  };
}
