import { type Election, type ElectionDeps, type SeenLease, startElection } from "../../lib/kube/lease.ts";
import { specOf } from "../../lib/kube/lease-record.ts";
import type { NamespacedName } from "../config.ts";
import { feeds } from "../feeds.ts";
import { History } from "./history.ts";
import type { HandOver, PrintGate } from "./print-gate.ts";

export interface PrintingTurnsOptions extends NamespacedName {
  /** Unique among the replicas. */
  readonly identity: string;
}

export interface PrintingTurnsDeps extends ElectionDeps {
  readonly gate: PrintGate;
  /** Hands over what is still being gathered. */
  readonly flush: () => void;
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

/** On the lease: how old the oldest event may be that its holder has received and not printed, in milliseconds. */
const unprintedAnnotation = "operator.kubearmor.com/unprinted-ms";
/** Replicas do not receive an event at one instant. */
const skewMs = 1_000;
/** Beyond the longest time between a renewal that was seen and a turn that follows from there being no other. */
const historyOptions = { stepMs: 100, keepMs: 60_000 } as const;

/**
 * Of several replicas the one that holds a lease prints. The others keep what they receive until the holder, by renewing,
 * says that it has printed it; whoever comes next begins with what it kept. So nothing goes missing between two turns,
 * however the first one ended, and what lies between the last renewal and the end may be printed twice. What could not be
 * kept is counted as missing.
 */
export class PrintingTurns implements AsyncDisposable {
  readonly #options: PrintingTurnsOptions;
  readonly #deps: PrintingTurnsDeps;
  readonly #history: History;
  readonly #stopping = Promise.withResolvers<"stopped">();
  readonly #ended: Promise<void>;
  #election: Election | undefined;
  /** In whose hands the lease was last seen when it was not ours. */
  #other: string | undefined;
  #turns = 0;
  /** When the last event came that this process will ever print. */
  #inputEndedMs: number | undefined;
  #isStopped = false;

  constructor(options: PrintingTurnsOptions, deps: PrintingTurnsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#history = new History(historyOptions, deps.clock, () => deps.gate.offered);
    this.#ended = this.#run();
  }

  /** To be asked at the last moment before anything is printed. */
  mayPrint(): boolean {
    return this.#election?.mayWrite() ?? false;
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

  /** Gives the lease back; nothing may be printed from now on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#stopping.resolve("stopped");
    await this.#ended;
    this.#history[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await using election = startElection(
        {
          ...this.#options,
          annotations: () => ({ [unprintedAnnotation]: String(Math.ceil(this.#unprintedMs())) }),
          onOther: (seen) => this.#forgetPrinted(seen),
        },
        this.#deps,
      );
      this.#election = election;
      const end = await Promise.race([this.#takeTurn(election), this.#stopping.promise]);
      this.#deps.flush();
      this.#deps.gate.close();
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
    const handOver = gate.open(isFirst);
    this.#turns += 1;
    const isComplete = feeds.every(({ id }) => handOver.missing[id] === 0);
    const after = isFirst ? "nobody" : this.#other === "" ? "release" : "silence";
    const fields = { after, repeatedAtMost: handOver.repeated, missingAtMost: handOver.missing };
    if (isComplete) log.info("Printing from now on", fields);
    else log.warn("Printing from now on: events are missing before that", fields);
    return await election.lost;
  }

  /** The holder has written the lease after `changedAfterMs`, and said then how far it is with printing. */
  #forgetPrinted({ lease, changedAfterMs }: SeenLease): void {
    this.#other = specOf(lease).holderIdentity ?? "";
    const text = lease.metadata.annotations?.[unprintedAnnotation];
    const unprintedMs = text === undefined ? Number.POSITIVE_INFINITY : Number(text);
    for (const { id } of feeds) {
      const events = this.#history.since(id, changedAfterMs - unprintedMs - skewMs);
      if (events !== undefined) this.#deps.gate.forget(id, events);
    }
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
