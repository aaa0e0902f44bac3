import { StreamError } from "./errors.ts";
import type { Field } from "./hpack-static-table.ts";

/** Header fields by their names, in lower case. Of a name that comes again, the first. */
export type FieldMap = ReadonlyMap<string, string>;

/** They belong to connections of HTTP/1.1. https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2 */
const connectionFields: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

/** The fields of a response's head: `:status` and what it comes with. @throws {StreamError} when it is malformed */
export function readHead(fields: readonly Field[]): FieldMap {
  const map = readFields(fields, true);
  const status = map.get(":status");
  if (status === undefined || !/^[1-5]\d\d$/.test(status)) throw malformed(`:status of "${status ?? ""}"`);
  // Switching protocols does not exist in HTTP/2.
  if (status === "101") throw malformed(":status of 101");
  return map;
}

/** @throws {StreamError} when they are malformed */
export function readTrailers(fields: readonly Field[]): FieldMap {
  return readFields(fields, false);
}

/** How long the body says it is; undefined = it does not. @throws {StreamError} when that is no length */
export function contentLength(head: FieldMap): number | undefined {
  const text = head.get("content-length");
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw malformed(`content-length of "${text}"`);
  return Number(text);
}

/** https://www.rfc-editor.org/rfc/rfc9113#section-8.1.1 */
export function malformed(what: string): StreamError {
  return new StreamError("PROTOCOL_ERROR", `Malformed response: ${what}`);
}

/** https://www.rfc-editor.org/rfc/rfc9113#section-8.2 and 8.3 */
function readFields(fields: readonly Field[], isHead: boolean): FieldMap {
  const map = new Map<string, string>();
  let isPseudoAllowed = isHead;
  for (const [name, value] of fields) {
    if (name.startsWith(":")) {
      if (!isPseudoAllowed || name !== ":status" || map.has(name))
        throw malformed(`field ${printable(name)} out of place`);
    } else {
      isPseudoAllowed = false;
      if (!isFieldName(name)) throw malformed(`field named ${printable(name)}`);
      if (connectionFields.has(name)) throw malformed(`field ${name}, which is of HTTP/1.1`);
    }
    if (/[\0\r\n]/.test(value)) throw malformed(`value of ${name}`);
    if (!map.has(name)) map.set(name, name.startsWith(":") ? value : trimBlanks(value));
  }
  return map;
}

/** Visible ASCII without capitals and without a colon. */
function isFieldName(name: string): boolean {
  return /^[!-9;-@[-~]+$/.test(name);
}

/**
 * Blanks at either end make a response malformed, strictly. But servers written with grpc-go send messages of statuses as
 * they are, a blank at the end included, and what the status is must not be lost for that.
 */
function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value[start])) start += 1;
  while (end > start && isBlank(value[end - 1])) end -= 1;
  return value.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
