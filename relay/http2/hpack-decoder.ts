import { ConnectionError } from "./errors.ts";
import { DynamicTable, fieldBytes, maxTableBytes } from "./hpack-dynamic-table.ts";
import { decodeHuffman } from "./hpack-huffman.ts";
import { type Field, staticTable } from "./hpack-static-table.ts";

const nothing = new Uint8Array(0);

/**
 * Decodes the header blocks of one connection, in their order: each may depend on those before.
 * https://www.rfc-editor.org/rfc/rfc7541
 */
export class HpackDecoder {
  readonly #maxListBytes: number;
  readonly #table = new DynamicTable();
  #block: Uint8Array = nothing;
  #position = 0;

  /** @param maxListBytes what a list of fields may count at most */
  constructor({ maxListBytes }: { readonly maxListBytes: number }) {
    this.#maxListBytes = maxListBytes;
  }

  /**
   * The fields of a block in their order; undefined when they count more than `maxListBytes`: later blocks can be decoded
   * all the same.
   *
   * @throws {ConnectionError} for what no encoder makes
   */
  decode(block: Uint8Array): readonly Field[] | undefined {
    this.#block = block;
    this.#position = 0;
    const fields: Field[] = [];
    let listBytes = 0;
    while (this.#position < block.length) {
      const field = this.#representation(fields.length === 0 && listBytes === 0);
      if (field === undefined) continue;
      listBytes += fieldBytes(field);
      if (listBytes <= this.#maxListBytes) fields.push(field);
    }
    return listBytes <= this.#maxListBytes ? fields : undefined;
  }

  /** https://www.rfc-editor.org/rfc/rfc7541#section-6; undefined = it was a change of the table's size. */
  #representation(isFirst: boolean): Field | undefined {
    const first = this.#block[this.#position] ?? 0;
    if (first >= 0x80) return this.#indexed(this.#integer(7));
    if (first >= 0x40) {
      const field = this.#literal(6);
      this.#table.add(field);
      return field;
    }
    if (first < 0x20) return this.#literal(4);
    if (!isFirst) throw invalid("Change of the table size behind a field");
    const limit = this.#integer(5);
    if (limit > maxTableBytes) throw invalid(`Table size of ${limit}, at most ${maxTableBytes} is allowed`);
    this.#table.limit(limit);
    return undefined;
  }

  #literal(indexBits: number): Field {
    const index = this.#integer(indexBits);
    const name = index === 0 ? this.#text() : this.#indexed(index)[0];
    return [name, this.#text()];
  }

  #indexed(index: number): Field {
    const field = index <= staticTable.length ? staticTable[index - 1] : this.#table.at(index - staticTable.length - 1);
    if (field === undefined) throw invalid(`Index ${index} of no field`);
    return field;
  }

  /** https://www.rfc-editor.org/rfc/rfc7541#section-5.1 */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    // 3 bytes reach past 2 million, which is more than any block holds.
    for (let shift = 0; shift <= 14; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw invalid("Integer of more than 3 bytes");
  }

  #text(): string {
    const isHuffman = (this.#block[this.#position] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const end = this.#position + length;
    if (end > this.#block.length) throw invalid(`Text of ${length} bytes behind the block's end`);
    const bytes = this.#block.subarray(this.#position, end);
    this.#position = end;
    return isHuffman ? decodeHuffman(bytes) : Buffer.from(bytes).toString("latin1");
  }

  #byte(): number {
    const byte = this.#block[this.#position];
    if (byte === undefined) throw invalid("Header block that ends inside a field");
    this.#position += 1;
    return byte;
  }
}

function invalid(message: string): ConnectionError {
  return new ConnectionError("COMPRESSION_ERROR", message);
}
