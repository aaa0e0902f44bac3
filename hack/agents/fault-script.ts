import { status } from "@grpc/grpc-js";
import { feedNames } from "./contract.ts";
import type { Fault, ScheduledFault } from "./faults.ts";
import { goawayCodes } from "./frames.ts";

/**
 * Reads `<time> <fault> [key=value …]; …`, e.g. `2s hang agent=3 for=10s; 5s reset agent=*; 1m replace agent=0,1 down=2s`.
 * Keys: `agent` (index, list or `*`, the default), `every`; `for` of hang; `code`, `debug`, `cut` of goaway; `form`,
 * `feed` of garbage; `feed`, `code` of stream-error; `down` of restart and replace; `by` of slow-health.
 * @throws RangeError that names what cannot be read
 */
export function parseFaults(script: string): readonly ScheduledFault[] {
  return script
    .split(";")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .map(parseEntry);
}

function parseEntry(entry: string): ScheduledFault {
  const [time = "", kind = "", ...rest] = entry.split(/\s+/);
  const words = new Words(entry, rest);
  const everyMs = words.duration("every");
  const scheduled = {
    atMs: parseDuration(time, entry),
    ...(everyMs === undefined ? {} : { everyMs }),
    agents: words.agents(),
    fault: parseFault(kind, words),
  };
  words.end();
  return scheduled;
}

const goawayNames = { NO_ERROR: 0, INTERNAL_ERROR: 2, ENHANCE_YOUR_CALM: goawayCodes.enhanceYourCalm };
const statusNames = Object.fromEntries(Object.entries(status).filter(([, code]) => typeof code === "number"));
const forms = { protobuf: "protobuf", flag: "flag", length: "length", http2: "http2" } as const;
const feeds = Object.fromEntries(feedNames.map((name) => [name, name]));

function parseFault(kind: string, words: Words): Fault {
  switch (kind) {
    case "hang":
      return { kind, ...optional("forMs", words.duration("for")) };
    case "resume":
    case "reset":
      return { kind };
    case "goaway": {
      const code = words.choice("code", goawayNames, goawayCodes.noError);
      return { kind, code, debug: words.take("debug") ?? "", ...optional("cutAfterMs", words.duration("cut")) };
    }
    case "garbage":
      return { kind, form: words.choice("form", forms, "flag"), feed: words.choice("feed", feeds, "alerts") };
    case "stream-error": {
      const code = words.choice("code", statusNames, status.INTERNAL) as status;
      return { kind, feed: words.choice("feed", feeds, "alerts"), code };
    }
    case "slow-health":
      return { kind, delayMs: words.duration("by") ?? 10_000 };
    case "restart":
    case "replace":
      return { kind, downMs: words.duration("down") ?? 1000 };
    default:
      throw new RangeError(`Cannot read "${words.entry}": there is no fault "${kind}"`);
  }
}

function optional<K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: number };
}

/** The `key=value` words of an entry, each to be taken once. */
class Words {
  readonly entry: string;
  readonly #values: Map<string, string>;

  constructor(entry: string, words: readonly string[]) {
    this.entry = entry;
    this.#values = new Map(
      words.map((word) => {
        const at = word.indexOf("=");
        if (at < 1) throw new RangeError(`Cannot read "${entry}": "${word}" must be key=value`);
        return [word.slice(0, at), word.slice(at + 1)];
      }),
    );
  }

  take(key: string): string | undefined {
    const value = this.#values.get(key);
    this.#values.delete(key);
    return value;
  }

  duration(key: string): number | undefined {
    const value = this.take(key);
    return value === undefined ? undefined : parseDuration(value, this.entry);
  }

  choice<T>(key: string, choices: Readonly<Record<string, T>>, otherwise: T): T {
    const value = this.take(key);
    if (value === undefined) return otherwise;
    const chosen = Object.hasOwn(choices, value) ? choices[value] : undefined;
    if (chosen !== undefined) return chosen;
    const known = Object.keys(choices).join(", ");
    throw new RangeError(`Cannot read "${this.entry}": ${key} is "${value}", must be one of ${known}`);
  }

  agents(): "all" | readonly number[] {
    const value = this.take("agent") ?? "*";
    if (value === "*") return "all";
    if (!/^\d+(,\d+)*$/.test(value)) {
      throw new RangeError(`Cannot read "${this.entry}": agent is "${value}", must be numbers or *`);
    }
    return value.split(",").map(Number);
  }

  /** @throws RangeError when a word was not taken */
  end(): void {
    const [left] = this.#values.keys();
    if (left !== undefined) throw new RangeError(`Cannot read "${this.entry}": there is no key "${left}" here`);
  }
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `2s`, `1.5m`, `1h`. `where`: what to name in the error. */
export function parseDuration(text: string, where: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = unitMs[unit];
  if (factor === undefined) {
    throw new RangeError(`Cannot read "${where}": "${text}" must be a time such as 500ms, 2s or 1m`);
  }
  return Number(number) * factor;
}
