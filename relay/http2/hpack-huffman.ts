import { ConnectionError } from "./errors.ts";

const endOfString = 256;

/**
 * The symbols whose code has so many bits. That says it all: codes are given in the order of length, then symbol, each one
 * more than the one before. https://www.rfc-editor.org/rfc/rfc7541#appendix-B
 */
const symbolsByBits: readonly (readonly [bits: number, symbols: readonly number[]])[] = [
  [5, [48, 49, 50, 97, 99, 101, 105, 111, 115, 116]],
  [
    6,
    [32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117],
  ],
  [
    7,
    [
      58, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113,
      118, 119, 120, 121, 122,
    ],
  ],
  [8, [38, 42, 44, 59, 88, 90]],
  [10, [33, 34, 40, 41, 63]],
  [11, [39, 43, 124]],
  [12, [35, 62]],
  [13, [0, 36, 64, 91, 93, 126]],
  [14, [94, 125]],
  [15, [60, 96, 123]],
  [19, [92, 195, 208]],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  [
    22,
    [
      129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198,
      228, 232, 233,
    ],
  ],
  [
    23,
    [
      1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182,
      183, 188, 191, 197, 231, 239,
    ],
  ],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [27, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  [
    28,
    [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249],
  ],
  [30, [10, 13, 22, endOfString]],
];

interface CodeLength {
  readonly bits: number;
  /** The first code of that length. */
  readonly first: number;
  readonly symbols: readonly number[];
}

const codeLengths: readonly CodeLength[] = assignCodes();

function assignCodes(): CodeLength[] {
  let next = 0;
  let lastBits = 0;
  return symbolsByBits.map(([bits, symbols]) => {
    const first = next << (bits - lastBits);
    next = first + symbols.length;
    lastBits = bits;
    return { bits, first, symbols };
  });
}

/** @throws {ConnectionError} for what no encoder makes: https://www.rfc-editor.org/rfc/rfc7541#section-5.2 */
export function decodeHuffman(bytes: Uint8Array): string {
  const symbols: number[] = [];
  // The bits since the last symbol. At most 30 are needed for one.
  let code = 0;
  let bits = 0;
  let level = 0;
  for (const byte of bytes) {
    for (let shift = 7; shift >= 0; shift--) {
      code = (code << 1) | ((byte >> shift) & 1);
      bits += 1;
      const length = codeLengths[level];
      if (length === undefined || length.bits !== bits) continue;
      const symbol = length.symbols[code - length.first];
      if (symbol === undefined) {
        level += 1;
        continue;
      }
      if (symbol === endOfString) throw invalid("with an end of string inside");
      symbols.push(symbol);
      code = 0;
      bits = 0;
      level = 0;
    }
  }
  if (bits > 7) throw invalid("with more than 7 bits of padding");
  if (code !== (1 << bits) - 1) throw invalid("with padding other than ones");
  return Buffer.from(symbols).toString("latin1");
}

function invalid(how: string): ConnectionError {
  return new ConnectionError("COMPRESSION_ERROR", `Huffman-coded text ${how}`);
}
