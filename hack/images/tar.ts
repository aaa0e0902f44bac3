import { readFileSync } from "node:fs";

/** What an archive holds; paths are relative, without a leading or trailing slash. */
export type TarEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Buffer }
  /** A file whose content is read when its turn comes. */
  | { readonly kind: "copy"; readonly path: string; readonly mode: number; readonly from: string };

const BLOCK = 512;

/**
 * The bytes of a tar archive in the format of POSIX.1-1988 (ustar). The same entries give the same bytes anywhere:
 * owner 0, time 0, sorted by path, every parent folder named once.
 */
export function* tar(entries: readonly TarEntry[]): Generator<Buffer> {
  for (const entry of withParents(entries)) {
    const content =
      entry.kind === "directory" ? Buffer.alloc(0) : entry.kind === "file" ? entry.content : readFileSync(entry.from);
    yield header(entry, content.length);
    yield content;
    const rest = content.length % BLOCK;
    if (rest !== 0) yield Buffer.alloc(BLOCK - rest);
  }
  // Two blocks of zeros end an archive.
  yield Buffer.alloc(2 * BLOCK);
}

function withParents(entries: readonly TarEntry[]): TarEntry[] {
  const all = new Map<string, TarEntry>();
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join("/");
      if (!all.has(path)) all.set(path, { kind: "directory", path, mode: 0o755 });
    }
    all.set(entry.path, entry);
  }
  return [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function header(entry: TarEntry, size: number): Buffer {
  const isDirectory = entry.kind === "directory";
  const [prefix, name] = splitPath(isDirectory ? `${entry.path}/` : entry.path);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(entry.mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  // The checksum counts its own field as blanks.
  block.write("        ", 148);
  block.write(isDirectory ? "5" : "0", 156);
  block.write("ustar\u000000", 257);
  block.write(prefix, 345);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

/** ustar keeps 100 bytes of name and 155 bytes of folders before it. */
function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ["", path];
  for (let cut = path.indexOf("/"); cut > 0 && cut < path.length - 1; cut = path.indexOf("/", cut + 1)) {
    const parts: [string, string] = [path.slice(0, cut), path.slice(cut + 1)];
    if (Buffer.byteLength(parts[0]) <= 155 && Buffer.byteLength(parts[1]) <= 100) return parts;
  }
  throw new RangeError(`Cannot put "${path}" into an archive: its path is too long for ustar`);
}
