import { type ByteView, viewOf } from "./json-line-text.ts";

const wordBytes = 4;
/** What may be written beyond the end of a prefix. */
export const maxPaddingBytes = wordBytes - 1;

/** A constant text, padded to whole words: what is written too much is overwritten by what follows. */
export interface Prefix {
  readonly words: Int32Array;
  readonly length: number;
}

export function prefixOf(text: string): Prefix {
  const padded = Buffer.alloc(Math.ceil(text.length / wordBytes) * wordBytes, " ");
  padded.write(text, "latin1");
  const { view } = viewOf(padded);
  return {
    words: Int32Array.from({ length: padded.length / wordBytes }, (_, at) => view.getInt32(at * wordBytes, true)),
    length: text.length,
  };
}

/** Writes a prefix and returns its end in `target`. */
export function writePrefix({ words, length }: Prefix, target: ByteView, start: number): number {
  for (let at = 0; at < words.length; at++) target.view.setInt32(start + at * wordBytes, words[at] ?? 0, true);
  return start + length;
}
