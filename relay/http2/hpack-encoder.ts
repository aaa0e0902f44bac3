import { type Field, staticTable } from "./hpack-static-table.ts";

/** "The table's size is 0 from now on": allowed at the start of any block, whatever size the peer wants. */
const noTable = 0x20;

/**
 * A header block that needs no memory of those before: references to the static table and literals that enter no table.
 * https://www.rfc-editor.org/rfc/rfc7541#section-6
 */
export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat([Buffer.of(noTable), ...fields.map(encodeField)]);
}

function encodeField([name, value]: Field): Buffer {
  const index = 1 + staticTable.findIndex(([known, knownValue]) => known === name && knownValue === value);
  if (index > 0) return encodeInteger(0x80, 7, index);
  const nameIndex = 1 + staticTable.findIndex(([known]) => known === name);
  const parts = [encodeInteger(0x00, 4, nameIndex), encodeText(value)];
  if (nameIndex === 0) parts.splice(1, 0, encodeText(name));
  return Buffer.concat(parts);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([encodeInteger(0x00, 7, bytes.length), bytes]);
}

/** https://www.rfc-editor.org/rfc/rfc7541#section-5.1 */
function encodeInteger(pattern: number, prefixBits: number, value: number): Buffer {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return Buffer.of(pattern | value);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
