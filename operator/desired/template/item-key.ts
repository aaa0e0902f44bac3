import { isFields } from "./fields.ts";
import type { Shape } from "./shape.ts";

/**
 * What tells an item of a keyed list from the others. Undefined for what is no object or lacks a key: the server refuses such
 * an item.
 */
export function itemKey(item: unknown, { keys = ["name"], keyDefaults = {} }: Shape): string | undefined {
  if (!isFields(item)) return undefined;
  const parts = keys.map((key) => item[key] ?? keyDefaults[key]);
  const isComplete = parts.every((part) => typeof part === "number" || (typeof part === "string" && part !== ""));
  return isComplete ? JSON.stringify(parts) : undefined;
}

/** For people: `32767/TCP`. */
export function keyText(key: string): string {
  return (JSON.parse(key) as readonly (string | number)[]).join("/");
}
