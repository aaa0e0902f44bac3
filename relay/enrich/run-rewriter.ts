import { wireType } from "../wire/protobuf.ts";
import { framePrefixBytes } from "../wire/frame-cutter.ts";

const initialBytes = 128 * 1024;
/** A buffer that one large event made larger is not kept. */
const keptBytes = 1024 * 1024;

/** A field to be put at the end of a message: text, followed by more of it. */
export interface AddedField {
  readonly number: number;
  readonly text: Uint8Array;
  readonly suffix: Uint8Array | undefined;
}

/** Bytes that a field takes on the wire. */
export function fieldBytes({ number, text, suffix }: AddedField): number {
  const length = text.length + (suffix?.length ?? 0);
  return varintBytes(number * 8) + varintBytes(length) + length;
}

/**
 * Copies a run of frames in which some messages get fields at their end; on the wire the last of two fields with one number
 * counts. Nothing is copied before the first such message. The buffer is used again for the next run.
 */
export class RunRewriter {
  #run: Buffer = Buffer.alloc(0);
  #target: Buffer = Buffer.alloc(0);
  /** How much of the run has been copied, and how much of the target is filled. */
  #copied = 0;
  #filled = 0;

  begin(run: Buffer): void {
    this.#run = run;
    this.#copied = 0;
    this.#filled = 0;
  }

  /** Puts fields behind the message from `start` to `end` of the run. */
  extend(start: number, end: number, fields: readonly AddedField[]): void {
    let added = 0;
    for (const field of fields) added += fieldBytes(field);
    const prefix = start - framePrefixBytes;
    this.#reserve(end - this.#copied + added);
    const lengthAt = this.#filled + prefix - this.#copied + 1;
    this.#copy(end);
    this.#target.writeUInt32BE(end - start + added, lengthAt);
    for (const field of fields) this.#put(field);
  }

  /** The rewritten run, valid until the next `begin`; the run itself if nothing was put into it. */
  end(): Buffer {
    const run = this.#run;
    if (this.#copied === 0) return run;
    this.#reserve(run.length - this.#copied);
    this.#copy(run.length);
    const result = this.#target.subarray(0, this.#filled);
    if (this.#target.length > keptBytes) this.#target = Buffer.alloc(0);
    return result;
  }

  #copy(end: number): void {
    this.#filled += this.#run.copy(this.#target, this.#filled, this.#copied, end);
    this.#copied = end;
  }

  #put({ number, text, suffix }: AddedField): void {
    this.#varint(number * 8 + wireType.bytes);
    this.#varint(text.length + (suffix?.length ?? 0));
    this.#target.set(text, this.#filled);
    this.#filled += text.length;
    if (suffix === undefined) return;
    this.#target.set(suffix, this.#filled);
    this.#filled += suffix.length;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.#target[this.#filled++] = (rest & 0x7f) | 0x80;
    this.#target[this.#filled++] = rest;
  }

  #reserve(bytes: number): void {
    const wanted = this.#filled + bytes;
    if (wanted <= this.#target.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, this.#target.length * 2, initialBytes));
    this.#target.copy(larger, 0, 0, this.#filled);
    this.#target = larger;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) bytes += 1;
  return bytes;
}
