import { type Election, type ElectionDeps, type SeenLease, startElection } from "../../lib/kube/lease.ts";
import { specOf } from "../../lib/kube/lease-record.ts";
import type { NamespacedName } from "../config.ts";
import { feeds } from "../feeds.ts";
import { History, perFeed } from "./history.ts";
import type { HandOver, PrintGate } from "./print-gate.ts";
import { parseStatement, statementOf } from "./statement.ts";

export interface PrintingTurnsOptions extends NamespacedName {
  /** Unique among the replicas. */
  readonly identity: string;
}

export interface PrintingTurnsDeps extends ElectionDeps {
  readonly gate: PrintGate;
  /** Hands over what is still being gathered. */
  readonly flush: () => void;
  /** Whether events of every agent come here. Default: from the first event on. */
  readonly isReceiving?: (() => boolean) | undefined;
  /** Told when a turn begins and when it ends. */
  readonly onTurn?: (isOurs: boolean) => void;
}

/** Whose turn it is, and what the changes of turns cost. */
export interface TurnStatus extends HandOver {
  /** What this replica calls itself. */
  readonly identity: string;
  /** Whether it is its turn. */
  readonly isLeader: boolean;
  /** Who prints, as the lease was last seen; undefined when nobody is known to. */
  readonly holder: string | undefined;
  /** How often it became this replica's turn. */
  readonly terms: number;
}

/** Replicas do not receive an event at one instant. */
const skewMs = 1_000;
/** An agent that has not been reached by then may stay away for good: events of the others count as those of all. */
const settleMs = 10_000;
/** Long enough for every other candidate to have found the lease free: each looks every 2 s. */
const patienceMs = 5_000;
/** Beyond the longest time between a renewal that was seen and a turn that follows from there being no other. */
const historyOptions = { stepMs: 100, keepMs: 60_000 } as const;

/**
 * Of several replicas the one that holds a lease prints. The others keep what they receive until the holder, by renewing,
 * says that it has received and printed it; whoever comes next begins with what it kept. So nothing goes missing between two
 * turns, however the first one ended, and what lies between the last renewal and the end may be printed twice. A replica that
 * was not there when the last holder had something left to print lets others go first. What could not be kept is counted as missing.
 */
export class PrintingTurns implements AsyncDisposable {
  readonly #options: PrintingTurnsOptions;
  readonly #deps: PrintingTurnsDeps;
  readonly #history: History;
  readonly #startedMs: number;
  readonly #stopping = Promise.withResolvers<"stopped">();
  readonly #ended: Promise<void>;
  #election: Election | undefined;
  /** In whose hands the lease was last seen when it was not ours, and until when they may be alive. */
  #other: string | undefined;
  #otherUntilMs = Number.NEGATIVE_INFINITY;
  /** Nobody is known to have printed what came after this; undefined as long as nobody had a turn. */
  #printedUntilMs: number | undefined;
  /** Since when the lease could be taken. */
  #freeSinceMs: number | undefined;
  #turns = 0;
  /** Since when events of every agent come. */
  #receivingSinceMs: number | undefined;
  #firstEventMs: number | undefined;
  /** When it was last looked whether they do. */
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** When the last event came that this process will ever print. */
  #inputEndedMs: number | undefined;
  #isStopped = false;

  constructor(options: PrintingTurnsOptions, deps: PrintingTurnsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#startedMs = deps.clock.monotonic();
    this.#history = new History(historyOptions, deps.clock, () => deps.gate.offered);
    deps.gate.observe(() => this.#onEvents());
    this.#ended = this.#run();
  }

  /** To be asked at the last moment before anything is printed. */
  mayPrint(): boolean {
    return this.#election?.mayWrite() ?? false;
  }

  /** Whether another replica is known to print. */
  get isOtherPrinting(): boolean {
    return this.#deps.clock.monotonic() < this.#otherUntilMs;
  }

  get status(): TurnStatus {
    const { gate } = this.#deps;
    const { identity } = this.#options;
    const isLeader = gate.isOpen && this.mayPrint();
    const holder = isLeader ? identity : this.#other || undefined;
    return { identity, isLeader, holder, terms: this.#turns, ...gate.handOvers };
  }

  /** No more events come: what others receive from now on is not printed here. */
  endInput(): void {
    this.#inputEndedMs ??= this.#deps.clock.monotonic();
  }

  /** There is nothing to print to any more: gives the lease back, if it is ours, and does not ask for it again. */
  giveUp(): void {
    if (this.#isStopped) return;
    this.#stop();
    this.#deps.log.error("Stdout is closed: other replicas may print, this one does not ask for its turn any more");
    // Not awaited here: it cannot fail, and whoever disposes waits for the same.
    this.#ended.then(
      () => this.#deps.gate.giveUp(),
      () => {},
    );
  }

  /** Gives the lease back; nothing may be printed from now on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#ended;
    this.#history[Symbol.dispose]();
  }

  #stop(): void {
    this.#isStopped = true;
    this.#stopping.resolve("stopped");
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await using election = startElection(
        {
          ...this.#options,
          annotations: () => this.#statement(),
          onOther: (seen) => this.#onOther(seen),
          mayTake: () => this.#mayTake(),
        },
        this.#deps,
      );
      this.#election = election;
      const end = await Promise.race([this.#takeTurn(election), this.#stopping.promise]);
      this.#deps.flush();
      this.#deps.gate.close();
      this.#deps.onTurn?.(false);
      if (end !== "stopped") this.#deps.log.error("Stopped printing: another replica may go on", { error: end });
    }
  }

  /** Resolves when the turn is over, with the reason. */
  async #takeTurn(election: Election): Promise<Error> {
    try {
      await election.acquired;
    } catch (error) {
      return error as Error;
    }
    if (this.#isStopped) return new Error("The relay is being stopped");
    const { gate, flush, log } = this.#deps;
    flush();
    const isFirst = this.#other === undefined || this.#other === this.#options.identity;
    const isBehind = !isFirst && this.#isBehind();
    const handOver = gate.open(isFirst);
    this.#deps.onTurn?.(true);
    this.#turns += 1;
    const hasAll = feeds.every(({ id }) => handOver.missing[id] === 0);
    // Another one may have had the room: what came before is not this one's to vouch for.
    if (!hasAll) this.#receivingSinceMs = this.#deps.clock.monotonic();
    const isComplete = hasAll && !isBehind;
    const after = isFirst ? "nobody" : this.#other === "" ? "release" : "silence";
    const fields = {
      after,
      repeatedAtMost: handOver.repeated,
      missingAtMost: handOver.missing,
      ...(isBehind ? { cannotKnow: "events that came before this replica received any" } : {}),
    };
    if (isComplete) log.info("Printing from now on", fields);
    else log.warn("Printing from now on: events are missing before that", fields);
    return await election.lost;
  }

  /** The lease as another one wrote it, with what it says of its printing. */
  #onOther({ lease, changedAfterMs, changedBeforeMs, heldUntilMs }: SeenLease): void {
    this.#other = specOf(lease).holderIdentity ?? "";
    this.#otherUntilMs = heldUntilMs;
    if (this.isOtherPrinting) this.#freeSinceMs = undefined;
    const { unprintedMs, receivingMs } = parseStatement(lease);
    this.#printedUntilMs = changedAfterMs - unprintedMs - skewMs;
    const receivedSinceMs = changedBeforeMs - receivingMs + skewMs;
    const { gate, log } = this.#deps;
    const aside = perFeed((feed) =>
      gate.setAside(feed, receivedSinceMs, this.#history.after(feed, receivedSinceMs) ?? 0),
    );
    if (feeds.some(({ id }) => aside[id] > 0)) {
      log.warn(
        "The replica whose turn it is has not received some events: they are printed when it is this one's turn",
        {
          holder: this.#other,
          events: aside,
        },
      );
    }
    for (const { id } of feeds) {
      const events = this.#history.since(id, this.#printedUntilMs);
      if (events !== undefined) gate.forget(id, events);
    }
  }

  /** Whoever has been there since the last one had printed everything goes first: it has what is left. */
  #mayTake(): boolean {
    const nowMs = this.#deps.clock.monotonic();
    this.#freeSinceMs ??= nowMs;
    return !this.#isBehind() || nowMs - this.#freeSinceMs >= patienceMs;
  }

  #isBehind(): boolean {
    if (this.#printedUntilMs === undefined) return false;
    return this.#deps.clock.monotonic() - this.#receivingMs() > this.#printedUntilMs;
  }

  #statement(): Readonly<Record<string, string>> {
    return statementOf({ unprintedMs: this.#unprintedMs(), receivingMs: this.#receivingMs() });
  }

  #onEvents(): void {
    this.#history.note();
    if (this.#receivingSinceMs !== undefined) return;
    const nowMs = this.#deps.clock.monotonic();
    this.#firstEventMs ??= nowMs;
    if (nowMs - this.#lookedMs >= historyOptions.stepMs) this.#receivingMs();
  }

  /** For how long events of every agent have come. */
  #receivingMs(): number {
    const { clock, isReceiving } = this.#deps;
    const nowMs = clock.monotonic();
    this.#lookedMs = nowMs;
    const firstMs = this.#firstEventMs ?? Number.POSITIVE_INFINITY;
    const sinceMs = isReceiving === undefined ? firstMs : Math.max(firstMs, this.#startedMs + settleMs);
    if (isReceiving?.() === true) this.#receivingSinceMs ??= nowMs;
    else if (sinceMs <= nowMs) this.#receivingSinceMs ??= sinceMs;
    return nowMs - (this.#receivingSinceMs ?? nowMs);
  }

  /** The age of the oldest event that has come, or will come to others only, and is not printed. */
  #unprintedMs(): number {
    const { gate, clock } = this.#deps;
    const nowMs = clock.monotonic();
    const { offered } = gate;
    const sinceMs = feeds.map(({ id }) => {
      const unprinted = gate.unprinted(id);
      return unprinted === 0 ? nowMs : this.#history.timeOf(id, offered[id] - unprinted);
    });
    return nowMs - Math.min(this.#inputEndedMs ?? nowMs, ...sinceMs);
  }
}
