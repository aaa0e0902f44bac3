import type { ParseArgsOptionsConfig } from "node:util";
import { parseArgs } from "node:util";

export interface Flag {
  /** What stands after the flag in the help; undefined: a switch. */
  readonly value?: string;
  readonly default?: string;
  readonly about: string;
}

/** Flags as given or by default. Asking for one that is not declared is a mistake in the program. */
export class Flags {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(values: Readonly<Record<string, string | boolean | undefined>>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  is(name: string): boolean {
    return this.#values[name] === true;
  }

  /** @throws RangeError when it is not a number of 0 or more */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
      throw new RangeError(`Cannot use --${name}: current value is "${text}", must be a number of 0 or more`);
    }
    return value;
  }

  whole(name: string): number | undefined {
    const value = this.number(name);
    if (value !== undefined && !Number.isSafeInteger(value)) {
      throw new RangeError(`Cannot use --${name}: current value is ${value}, must be a whole number`);
    }
    return value;
  }
}

/** @throws TypeError or RangeError with a text for the user */
export function parseFlags(flags: Readonly<Record<string, Flag>>, args: readonly string[]): Flags {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, flag] of Object.entries(flags)) {
    options[name] =
      flag.value === undefined
        ? { type: "boolean" }
        : { type: "string", ...(flag.default === undefined ? {} : { default: flag.default }) };
  }
  const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
  return new Flags(values as Readonly<Record<string, string | boolean | undefined>>);
}

export function helpText(usage: string, flags: Readonly<Record<string, Flag>>): string {
  const rows = Object.entries(flags).map(([name, flag]) => {
    const left = `  --${name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
    const right = flag.default === undefined ? flag.about : `${flag.about} (${flag.default})`;
    return `${left.padEnd(30)} ${right}`;
  });
  return `Usage: ${usage}\n\n${rows.join("\n")}\n`;
}
