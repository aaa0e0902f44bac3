/**
 * Command lines as Go's `flag` package reads them, because that is how the programs this one replaces are started:
 * one or two dashes, `-x=v` or `-x v`, `-x` alone for a boolean. Source: https://pkg.go.dev/flag#hdr-Command_line_flag_syntax
 * Unlike Go's, an unknown flag is a warning: a manifest written for a newer version must not crash an older one.
 */
export type FlagKind = "string" | "boolean";

export interface ParsedFlags {
  /** Last value wins. A boolean flag without a value is "true". */
  readonly values: ReadonlyMap<string, string>;
  readonly positional: readonly string[];
  /** One sentence each, for the log. */
  readonly warnings: readonly string[];
  /** One sentence each; the caller adds its own and refuses to start. */
  readonly errors: readonly string[];
}

export function parseFlags(argv: readonly string[], known: Readonly<Record<string, FlagKind>>): ParsedFlags {
  const values = new Map<string, string>();
  const warnings: string[] = [];
  const errors: string[] = [];
  let index = 0;
  while (index < argv.length) {
    const argument = argv[index] ?? "";
    if (argument === "--") {
      index += 1;
      break;
    }
    const match = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(argument);
    if (match === null) break;
    index += 1;
    const name = match[1] ?? "";
    const inline = match[2];
    const kind = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kind === undefined) {
      warnings.push(`Unknown flag -${name} is ignored`);
      // `-x v` of an unknown flag: the value would end the flags, and silently drop all that follow.
      const next = argv[index];
      if (inline === undefined && next !== undefined && !next.startsWith("-")) index += 1;
      continue;
    }
    if (inline !== undefined) values.set(name, inline);
    else if (kind === "boolean") values.set(name, "true");
    else if (index < argv.length) values.set(name, argv[index++] ?? "");
    else errors.push(`Flag -${name} needs a value`);
  }
  return { values, positional: argv.slice(index), warnings, errors };
}

/** Go's strconv.ParseBool: anything else is undefined. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  return undefined;
}

/** A TCP port in decimal; undefined when it is none. 0 means "any free one". */
export function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** Milliseconds of each unit that a duration may name; what is below a millisecond is of no use to a timer. */
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A duration as Go's time.ParseDuration reads it, `15s` or `1m30s`, in milliseconds; negative ones are undefined. */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([\d.]+)([a-z]+)/g)];
  return parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (unitMs[unit] ?? Number.NaN), 0);
}
