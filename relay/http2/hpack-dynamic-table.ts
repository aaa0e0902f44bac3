import type { Field } from "./hpack-static-table.ts";

/** The table size that a peer may use before it was told otherwise; we never tell otherwise. */
export const maxTableBytes = 4096;

/** What a field counts beyond its text. https://www.rfc-editor.org/rfc/rfc7541#section-4.1 */
const fieldOverheadBytes = 32;

/** As many fields as fit, if they have no text at all. */
const capacity = maxTableBytes / fieldOverheadBytes;

/** The fields that a connection's blocks refer back to, in a ring: a block may add and drop thousands. */
export class DynamicTable {
  readonly #ring: Field[] = [];
  /** Where the next field goes. */
  #next = 0;
  #size = 0;
  #bytes = 0;
  #limitBytes = maxTableBytes;

  /** Index 0 is the newest. */
  at(index: number): Field | undefined {
    return index < this.#size ? this.#ring[(this.#next - 1 - index + capacity) % capacity] : undefined;
  }

  /** https://www.rfc-editor.org/rfc/rfc7541#section-4.4 */
  add(field: Field): void {
    const bytes = fieldBytes(field);
    this.#evict(bytes);
    // One that is larger than the table has emptied it, which is no error.
    if (bytes > this.#limitBytes) return;
    this.#ring[this.#next] = field;
    this.#next = (this.#next + 1) % capacity;
    this.#size += 1;
    this.#bytes += bytes;
  }

  /** @param bytes at most `maxTableBytes` */
  limit(bytes: number): void {
    this.#limitBytes = bytes;
    this.#evict(0);
  }

  /** Drops the oldest until there is room for so many bytes, or nothing is left. */
  #evict(roomBytes: number): void {
    while (this.#size > 0 && this.#bytes + roomBytes > this.#limitBytes) {
      const oldest = this.at(this.#size - 1);
      this.#size -= 1;
      if (oldest !== undefined) this.#bytes -= fieldBytes(oldest);
    }
  }
}

/** What a field counts, in the table and in a list of fields. */
export function fieldBytes([name, value]: Field): number {
  return name.length + value.length + fieldOverheadBytes;
}
