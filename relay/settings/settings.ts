import { parseDocument } from "yaml";
import { type FeedId, feeds } from "../feeds.ts";

/** What can change while the relay runs, with no restart and no stream reset. */
export interface Settings {
  /** Which feeds are printed. */
  readonly stdout: Readonly<Record<FeedId, boolean>>;
}

export type ParsedSettings =
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "refused"; readonly errors: readonly string[] };

/**
 * Reads settings in YAML: `stdout: { alerts: true, logs: false, messages: false }`. What is not said stays as in `base`.
 * A document with any error changes nothing.
 */
export function parseSettings(text: string, base: Settings): ParsedSettings {
  const document = parseDocument(text);
  if (document.errors.length > 0) return { kind: "refused", errors: document.errors.map((error) => error.message) };
  const errors: string[] = [];
  const root: unknown = document.toJS();
  const stdout = { ...base.stdout };
  for (const [key, value] of entries(root, "settings", errors)) {
    if (key !== "stdout") {
      errors.push(`Setting "${key}" is not known, only "stdout" is`);
      continue;
    }
    for (const [feed, isOn] of entries(value, "stdout", errors)) {
      const known = feeds.find(({ id }) => id === feed);
      if (known === undefined)
        errors.push(`Setting "stdout.${feed}" is not known: a feed is ${feeds.map(({ id }) => id).join(", ")}`);
      else if (typeof isOn !== "boolean")
        errors.push(`Setting "stdout.${feed}" is ${JSON.stringify(isOn)}, it must be true or false`);
      else stdout[known.id] = isOn;
    }
  }
  return errors.length > 0 ? { kind: "refused", errors } : { kind: "settings", settings: { stdout } };
}

function entries(value: unknown, name: string, errors: string[]): readonly [string, unknown][] {
  if (value === null || value === undefined) return [];
  if (typeof value === "object" && !Array.isArray(value)) return Object.entries(value);
  errors.push(`"${name}" is ${JSON.stringify(value)}, it must be a map`);
  return [];
}
