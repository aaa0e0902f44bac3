import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Image, type Layer, layout } from "./oci.ts";
import { tar, type TarEntry } from "./tar.ts";

/** Archives kept: every change of a program makes a new one of 130 MB. */
const KEPT_ARCHIVES = 5;

/** The layer of these files, written into `folder` under its digest unless it is there. */
export function writeLayer(folder: string, entries: readonly TarEntry[]): Layer {
  // Hashed before it is written: hashing takes a fraction of a second, and most times nothing is to be written.
  const hash = createHash("sha256");
  let size = 0;
  for (const chunk of tar(entries)) {
    hash.update(chunk);
    size += chunk.length;
  }
  const hex = hash.digest("hex");
  const file = join(folder, `${hex}.tar`);
  writeOnce(file, entries);
  return { file, digest: `sha256:${hex}`, size };
}

/** An archive of these images in `folder`, named by its content, and written unless it is there. */
export function writeArchive(folder: string, images: readonly Image[]): string {
  const entries = layout(images);
  const hash = createHash("sha256");
  for (const entry of entries) hash.update(`${entry.path}\0`).update(entry.kind === "file" ? entry.content : "");
  const file = join(folder, `${hash.digest("hex").slice(0, 16)}.tar`);
  writeOnce(file, entries);
  const now = new Date();
  utimesSync(file, now, now);
  removeOldest(folder);
  return file;
}

/** Written beside and renamed: whoever finds the file finds all of it. */
function writeOnce(file: string, entries: readonly TarEntry[]): void {
  if (existsSync(file)) return;
  mkdirSync(join(file, ".."), { recursive: true });
  const draft = `${file}.${process.pid}.draft`;
  const fd = openSync(draft, "w");
  try {
    for (const chunk of tar(entries)) {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    }
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
}

function removeOldest(folder: string): void {
  const archives = readdirSync(folder)
    .filter((name) => name.endsWith(".tar"))
    .map((name) => ({ file: join(folder, name), usedMs: statSync(join(folder, name)).mtimeMs }))
    .toSorted((a, b) => b.usedMs - a.usedMs);
  for (const { file } of archives.slice(KEPT_ARCHIVES)) rmSync(file, { force: true });
}
