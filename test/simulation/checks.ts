import { type ConsumerLedger, sumOf, unaccounted } from "../../relay/hub/counts.ts";
import type { Judge } from "./judge.ts";

/** What must hold of counters, wherever they are. */
export class Checks {
  readonly #judge: Judge;
  /** When they were last looked at. */
  readonly #before = new Map<string, readonly number[]>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** Each event has one fate, and no fate is taken back. */
  ledger(what: string, ledger: ConsumerLedger): void {
    const { expected, offered, delivered, filtered, unreadable, dropped, queued } = ledger;
    const fates = delivered + filtered + unreadable + sumOf(dropped) + queued;
    this.#judge.equal(fates, offered, "accounting", what, "whose fate is known");
    this.#judge.equal(expected, offered, "accounting", what, "expected");
    this.#judge.equal(unaccounted(ledger), 0, "accounting", what, "unaccounted for");
    this.#judge.check(queued >= 0, "accounting", () => `${what}: ${queued} queued`);
    this.neverBack(what, expected, offered, delivered, filtered, unreadable, ...Object.values(dropped));
  }

  neverBack(what: string, ...values: readonly number[]): void {
    const before = this.#before.get(what) ?? values;
    for (let index = 0; index < values.length; index++) {
      const [value = 0, highest = 0] = [values[index], before[index]];
      this.#judge.check(
        value >= highest,
        "monotonic",
        () => `counter ${index} of ${what} fell from ${highest} to ${value}`,
      );
    }
    this.#before.set(what, values);
  }
}
