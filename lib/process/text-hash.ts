import { createHash } from "node:crypto";

/**
 * The first 16 hex digits of the SHA-256 of a text's UTF-8: how the relay says which settings it has in force, and how
 * the operator knows that they are the ones it wrote.
 */
export function textHash(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}
