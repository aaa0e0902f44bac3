import type { Clock } from "../../lib/process/clock.ts";
import {
  type Fight,
  type Repair,
  afterRepair,
  endMs,
  firstWrite,
  isFight,
  isOver,
  nextRepairMs,
} from "../decide/contention.ts";
import { placeText } from "../decide/place-text.ts";
import type { PlannedWrite } from "../decide/plan.ts";
import { fightText } from "../decide/way-out.ts";
import type { DesiredObject } from "../desired/object.ts";
import { parseKey } from "../watch/keys.ts";

interface Known extends Fight {
  /** Of the relay's spec: what a newer one wants is no repair. */
  readonly generation: number;
}

/** Who keeps writing into which objects of which relay. Kept in memory: a restart costs a few repairs more. */
export class Contention {
  readonly #clock: Pick<Clock, "monotonic">;
  /** By relay, then by the object as the status names it. */
  readonly #fights = new Map<string, Map<string, Known>>();
  readonly #converged = new Set<string>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** The writes without those that have to wait: repairs of what somebody else writes or deletes all the time. */
  due(key: string, writes: readonly PlannedWrite[], generation: number): readonly PlannedWrite[] {
    const nowMs = this.#clock.monotonic();
    const fights = this.#fights.get(key);
    return writes.filter(({ desired, live }) => {
      const fight = fights?.get(nameOf(key, desired));
      // One that is gone waits only for having been deleted again and again.
      if (fight !== undefined && live === undefined && fight.last.kind === "written") return true;
      return fight === undefined || fight.generation !== generation || nowMs >= nextRepairMs(fight);
    });
  }

  /**
   * @param repair what the write put back, if it was not the first that this spec asks for
   * @param isSettled whether this spec asked for no write any more before
   */
  wrote(
    key: string,
    { desired }: PlannedWrite,
    repair: Repair | undefined,
    isSettled: boolean,
    generation: number,
  ): void {
    const nowMs = this.#clock.monotonic();
    const { kind } = desired.resource;
    const fights = this.#fights.get(key) ?? new Map<string, Known>();
    this.#fights.set(key, fights);
    const object = nameOf(key, desired);
    const earlier = fights.get(object);
    const isAgain = isSettled || earlier?.generation === generation;
    const fight = isAgain && repair !== undefined ? afterRepair(earlier, kind, repair, nowMs) : firstWrite(kind, nowMs);
    fights.set(object, { ...fight, generation });
  }

  /** What the status says of it, in a stable order; and when there may be something else to say or to do. */
  of(key: string): { readonly fights: readonly string[]; readonly againInMs: number | undefined } {
    const nowMs = this.#clock.monotonic();
    const known = this.#fights.get(key);
    if (known === undefined) return { fights: [], againInMs: undefined };
    for (const [object, fight] of known) if (isOver(fight, nowMs)) known.delete(object);
    if (known.size === 0) this.#fights.delete(key);
    const going = [...known].filter(([, fight]) => isFight(fight));
    const momentsMs = going.flatMap(([, fight]) => [nextRepairMs(fight), endMs(fight)]).filter((ms) => ms > nowMs);
    return {
      fights: going.map(([object, { last }]) => fightText(object, last)).toSorted(),
      againInMs: momentsMs.length === 0 ? undefined : Math.min(...momentsMs) - nowMs,
    };
  }

  /** All is as the relay's spec wants it: what is missing from now on is gone. */
  converged(key: string): void {
    this.#converged.add(key);
  }

  /**
   * The writes that may have put something back. What is missing when this process first looks, and was not written by it, was
   * perhaps never there: after an upgrade there are objects that the version before did not make, and others have new names.
   */
  suspicious(key: string, writes: readonly PlannedWrite[]): readonly PlannedWrite[] {
    if (this.#converged.has(key)) return writes;
    const fights = this.#fights.get(key);
    return writes.filter(({ desired, live }) => live !== undefined || fights?.has(nameOf(key, desired)) === true);
  }

  forget(key: string): void {
    this.#fights.delete(key);
    this.#converged.delete(key);
  }
}

function nameOf(key: string, desired: DesiredObject): string {
  return placeText(desired, parseKey(key).namespace);
}
