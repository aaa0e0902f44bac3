import { FieldCursor, readInt32, readInt64, wireType } from "../wire/protobuf.ts";
import { MapEntries } from "./json-line-map.ts";
import { writeInteger } from "./json-line-number.ts";
import { maxPaddingBytes, type Prefix, prefixOf, writePrefix } from "./json-line-prefix.ts";
import type { JsonField, MessageTable } from "./json-line-table.ts";
import { type ByteView, writeText } from "./json-line-text.ts";

const quote = 0x22;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const closeBracket = 0x5d;

/** A field and where its values lie in the event at hand. Absent: `end` is 0, for no value ends before its tag. */
interface Slot {
  readonly kind: "string" | "integer32" | "integer64" | "strings" | "map" | "message";
  readonly wireType: number;
  readonly printZero: boolean;
  /** `,"name":` and what opens the value. */
  readonly prefix: Prefix;
  start: number;
  end: number;
  /** Of strings: how many there are, and start and end of each by turns, in an array that is used again. */
  count: number;
  readonly ranges: number[];
  readonly entries: MapEntries;
  readonly part: MessagePart | undefined;
}

/** One message, or one sub-message merged from all its occurrences. */
export class MessagePart {
  /** What a line of it takes beside its texts. */
  readonly maxFixedBytes: number;
  readonly #cursor = new FieldCursor();
  readonly #slots: readonly Slot[];
  readonly #byNumber: readonly (Slot | undefined)[];

  constructor(table: MessageTable) {
    this.#slots = table.map(slotOf);
    const byNumber: (Slot | undefined)[] = Array.from({ length: Math.max(...table.map(({ number }) => number)) + 1 });
    for (const [index, { number }] of table.entries()) byNumber[number] = this.#slots[index];
    this.#byNumber = byNumber;
    // 2: braces; 22: the longest integer and what closes a value.
    this.maxFixedBytes = this.#slots.reduce(
      (sum, { prefix, part }) => sum + prefix.length + 22 + (part?.maxFixedBytes ?? 0),
      2 + maxPaddingBytes,
    );
  }

  clear(): void {
    for (const slot of this.#slots) {
      slot.end = 0;
      slot.count = 0;
      if (slot.kind === "map") slot.entries.clear();
      else slot.part?.clear();
    }
  }

  /** Notes the fields of one occurrence over those seen before; false if it is malformed. */
  scan(source: ByteView, start: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.reset(source.bytes, start, end);
    while (cursor.next()) {
      const slot = cursor.number < this.#byNumber.length ? this.#byNumber[cursor.number] : undefined;
      // A known field of another wire type counts as unknown.
      if (slot === undefined || slot.wireType !== cursor.type) continue;
      slot.start = cursor.start;
      slot.end = cursor.end;
      if (slot.kind === "strings") {
        slot.ranges[slot.count * 2] = cursor.start;
        slot.ranges[slot.count * 2 + 1] = cursor.end;
        slot.count++;
      } else if (slot.kind === "map" && !slot.entries.add(source, cursor.start, cursor.end)) return false;
      else if (slot.part !== undefined && !slot.part.scan(source, cursor.start, cursor.end)) return false;
    }
    return !cursor.malformed;
  }

  write(source: ByteView, target: ByteView, start: number): number {
    let to = start;
    for (const slot of this.#slots) {
      if (slot.end === 0 && !slot.printZero) continue;
      switch (slot.kind) {
        case "string":
          if (slot.start === slot.end) break;
          to = writePrefix(slot.prefix, target, to);
          to = writeText(source, slot.start, slot.end, target, to);
          target.bytes[to++] = quote;
          break;
        case "integer32":
        case "integer64": {
          const value = valueOf(slot, source);
          if (value === 0 && !slot.printZero) break;
          to = writePrefix(slot.prefix, target, to);
          to = writeInteger(value, target.bytes, to);
          break;
        }
        case "strings":
          to = writePrefix(slot.prefix, target, to);
          for (let at = 0; at < slot.count * 2; at += 2) {
            target.bytes[to++] = quote;
            to = writeText(source, slot.ranges[at] ?? 0, slot.ranges[at + 1] ?? 0, target, to);
            target.bytes[to++] = quote;
            target.bytes[to++] = comma;
          }
          target.bytes[to - 1] = closeBracket;
          break;
        case "map":
          to = writePrefix(slot.prefix, target, to);
          to = slot.entries.write(source, target, to);
          target.bytes[to++] = closeBrace;
          break;
        case "message":
          to = writePrefix(slot.prefix, target, to);
          to = slot.part?.write(source, target, to) ?? to;
          break;
      }
    }
    // Every field begins with a comma; the first one's place is that of the brace.
    if (to === start) to++;
    target.bytes[start] = openBrace;
    target.bytes[to++] = closeBrace;
    return to;
  }
}

function slotOf({ name, type, printZero }: JsonField): Slot {
  const shape = shapeOf(type);
  return {
    kind: shape.kind,
    wireType: shape.kind === "integer32" || shape.kind === "integer64" ? wireType.varint : wireType.bytes,
    printZero,
    prefix: prefixOf(`,${JSON.stringify(name)}:${shape.opening}`),
    start: 0,
    end: 0,
    count: 0,
    ranges: [],
    entries: new MapEntries(),
    part: typeof type === "string" ? undefined : new MessagePart(type),
  };
}

function shapeOf(type: JsonField["type"]): { readonly kind: Slot["kind"]; readonly opening: string } {
  switch (type) {
    case "string":
      return { kind: "string", opening: '"' };
    case "strings":
      return { kind: "strings", opening: "[" };
    case "string-map":
      return { kind: "map", opening: "{" };
    case "int32":
      return { kind: "integer32", opening: "" };
    case "int64":
      return { kind: "integer64", opening: "" };
    default:
      return { kind: "message", opening: "" };
  }
}

function valueOf(slot: Slot, source: ByteView): number | bigint {
  if (slot.end === 0) return 0;
  if (slot.kind === "integer32") return readInt32(source.bytes, slot.start);
  const value = readInt64(source.bytes, slot.start, slot.end);
  return value === 0n ? 0 : value;
}
