/** What happened, in order: always as a hash, by which two runs are compared, and as text for whoever reads a failure. */
export class Trace {
  readonly #nowMs: () => number;
  readonly #lines: string[] | undefined;
  #low = 0x811c9dc5;
  #high = 0x01000193;

  constructor(nowMs: () => number, keepsLines: boolean) {
    this.#nowMs = nowMs;
    this.#lines = keepsLines ? [] : undefined;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  note(what: string, ...details: readonly (number | string)[]): void {
    this.#mixNumber(this.#nowMs());
    this.#mixText(what);
    for (const detail of details) {
      if (typeof detail === "number") this.#mixNumber(detail);
      else this.#mixText(detail);
    }
    this.#lines?.push(`${this.#nowMs().toFixed(3).padStart(12)} ${[what, ...details].join(" ")}`);
  }

  /** For what happens too often to be told. */
  mix(value: number): void {
    this.#mixNumber(this.#nowMs());
    this.#mixNumber(value);
  }

  #mixText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
  }

  #mixNumber(value: number): void {
    this.#mix(value | 0);
    this.#mix(((value % 1) * 2 ** 31) | 0);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ (this.#low >>> 13) ^ value, 0x85ebca6b);
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
