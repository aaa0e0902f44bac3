/** How a number relates to those before it. `late`: it fills a gap, or comes before the first. */
export type Arrival = "next" | "late" | "duplicate";

export interface SequenceCounts {
  readonly first: number;
  readonly last: number;
  /** Different numbers received = last - first + 1 - lost. */
  readonly received: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
}

/** Gaps kept for late arrivals; beyond it the oldest stay lost for good, and an arrival in them counts as duplicate. */
const mostGaps = 10_000;

/** Checks numbers that ought to come one after the other. Where it begins does not matter: a subscriber may come late. */
export class Sequence {
  #first: number;
  #last: number;
  /** Missing numbers as inclusive ranges, ascending. */
  readonly #gaps: [from: number, to: number][] = [];
  #lost = 0;
  #duplicates = 0;
  #reordered = 0;

  constructor(first: number) {
    this.#first = first;
    this.#last = first;
  }

  add(number: number): Arrival {
    if (number > this.#last) {
      if (number > this.#last + 1) this.#open(this.#last + 1, number - 1);
      this.#last = number;
      return "next";
    }
    if (number < this.#first) {
      if (number < this.#first - 1) {
        this.#gaps.unshift([number + 1, this.#first - 1]);
        this.#lost += this.#first - 1 - number;
      }
      this.#first = number;
      this.#reordered += 1;
      return "late";
    }
    if (this.#fill(number)) {
      this.#lost -= 1;
      this.#reordered += 1;
      return "late";
    }
    this.#duplicates += 1;
    return "duplicate";
  }

  counts(): SequenceCounts {
    return {
      first: this.#first,
      last: this.#last,
      received: this.#last - this.#first + 1 - this.#lost,
      lost: this.#lost,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
    };
  }

  #open(from: number, to: number): void {
    this.#gaps.push([from, to]);
    this.#lost += to - from + 1;
    if (this.#gaps.length > mostGaps) this.#gaps.shift();
  }

  #fill(number: number): boolean {
    // What is late is nearly always a little late.
    const index = this.#gaps.findLastIndex(([from]) => from <= number);
    const gap = this.#gaps[index];
    if (gap === undefined || gap[1] < number) return false;
    const [from, to] = gap;
    const rest: [number, number][] = [];
    if (from < number) rest.push([from, number - 1]);
    if (number < to) rest.push([number + 1, to]);
    this.#gaps.splice(index, 1, ...rest);
    return true;
  }
}
