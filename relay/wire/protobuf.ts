/** Wire types of protobuf. Source: https://protobuf.dev/programming-guides/encoding/ */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

const maxFieldNumber = 2 ** 29 - 1;
// Go's reader takes larger numbers inside a group (an old container format had them) and nests this deep at most.
const maxNumberInGroup = 2 ** 31 - 1;
const maxGroupDepth = 10_000;
const noBytes: Uint8Array = new Uint8Array(0);

/**
 * Walks the fields of one protobuf message in place, without decoding them: `while (cursor.next()) …`, then look at
 * `malformed`. Accepts and refuses what Go's reader does, so that the relay can read what upstream can.
 */
export class FieldCursor {
  /** Field number, wire type and the range of the value of the field that `next` found. For bytes: without the length. */
  number = 0;
  type = 0;
  start = 0;
  end = 0;
  /** Whether the walk ended before the end of the message. */
  malformed = false;

  #bytes = noBytes;
  #at = 0;
  #limit = 0;

  /** Starts over at the message in `bytes` from `start` to `end`. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#limit = end;
    this.malformed = false;
  }

  /** Steps to the next field; false at the end of the message and where it is malformed. */
  next(): boolean {
    if (this.#at >= this.#limit) return false;
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (number < 1 || number > maxFieldNumber) return this.#fail();
    this.number = number;
    this.type = type;
    if (type === wireType.bytes) {
      const length = this.#varint();
      if (length < 0 || length > this.#limit - this.#at) return this.#fail();
      this.start = this.#at;
      this.#at += length;
    } else {
      this.start = this.#at;
      if (!this.#skip(number, type)) return this.#fail();
    }
    this.end = this.#at;
    return true;
  }

  #fail(): false {
    this.malformed = true;
    return false;
  }

  /** Passes the value of a field; false where it is malformed. */
  #skip(number: number, type: number): boolean {
    switch (type) {
      case wireType.varint:
        return this.#varint() >= 0;
      case wireType.fixed64:
        return this.#pass(8);
      case wireType.bytes:
        return this.#pass(this.#varint());
      case wireType.groupStart:
        return this.#skipGroup(number);
      case wireType.fixed32:
        return this.#pass(4);
      default: // An end without its start, or a reserved type.
        return false;
    }
  }

  #pass(length: number): boolean {
    if (length < 0 || length > this.#limit - this.#at) return false;
    this.#at += length;
    return true;
  }

  #skipGroup(outermost: number): boolean {
    const open = [outermost];
    while (open.length > 0) {
      const tag = this.#varint();
      const number = Math.floor(tag / 8);
      const type = tag % 8;
      if (number < 1 || number > maxNumberInGroup) return false;
      if (type === wireType.groupEnd) {
        if (open.pop() !== number) return false;
      } else if (type === wireType.groupStart) {
        if (open.length > maxGroupDepth) return false;
        open.push(number);
      } else if (!this.#skip(number, type)) return false;
    }
    return true;
  }

  /** The varint here, or -1 if it is cut short or over 64 bits. Exact up to 2^53: more than any tag or length may be. */
  #varint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= this.#limit) return -1;
    let byte = bytes[at++] ?? 0;
    let value = byte & 0x7f;
    let scale = 128;
    while (byte >= 0x80) {
      if (at >= this.#limit) return -1;
      byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      // Ten bytes carry 70 bits, of which 64 count: the tenth is 0 or 1.
      if (at - this.#at === 10 && byte > 1) return -1;
    }
    this.#at = at;
    return value;
  }
}

/** The int32 at `start`, a varint that a `FieldCursor` has passed: its low 32 bits, signed, whatever is above them. */
export function readInt32(bytes: Uint8Array, start: number): number {
  let value = 0;
  for (let at = start, shift = 0; shift < 35; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

/** The int64 in the varint from `start` to `end` that a `FieldCursor` has passed; a bigint only where it may be needed. */
export function readInt64(bytes: Uint8Array, start: number, end: number): number | bigint {
  // Seven bytes carry 49 bits, which a number holds exactly.
  if (end - start <= 7) {
    let value = 0;
    for (let at = end - 1; at >= start; at--) value = value * 128 + ((bytes[at] ?? 0) & 0x7f);
    return value;
  }
  let value = 0n;
  for (let at = end - 1; at >= start; at--) value = (value << 7n) | BigInt((bytes[at] ?? 0) & 0x7f);
  return BigInt.asIntN(64, value);
}
