import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { writeArchive, writeLayer } from "./archive.ts";
import { type Image, layout } from "./oci.ts";
import type { TarEntry } from "./tar.ts";

const GOLDEN = join(import.meta.dirname, "testdata", "layout.json");

const base: TarEntry[] = [{ kind: "file", path: "bin/node", mode: 0o755, content: Buffer.from("node") }];
const app: TarEntry[] = [{ kind: "file", path: "app/main.js", mode: 0o644, content: Buffer.from("1") }];

function images(folder: string): Image[] {
  const layer = writeLayer(folder, base);
  const config = { Entrypoint: ["/bin/node", "/app/main.js"], User: "65532" };
  return [
    { ref: "localhost/one:1", architecture: "amd64", config, layers: [layer, writeLayer(folder, app)] },
    { ref: "localhost:5000/two:2", architecture: "amd64", config, layers: [layer] },
  ];
}

function inScratch<T>(work: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "oci-test-"));
  try {
    return work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The layout as text: JSON blobs readable, layers by name only. */
function describe(entries: readonly TarEntry[]): object {
  return Object.fromEntries(
    entries.map((entry) => [
      entry.path,
      entry.kind === "file" ? (JSON.parse(entry.content.toString()) as unknown) : entry.kind,
    ]),
  );
}

test("layout() names every blob by its digest, and shares layers", () => {
  const found = inScratch((dir) => describe(layout(images(dir))));
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(GOLDEN, JSON.stringify(found, undefined, 2));
  assert.deepEqual(found, JSON.parse(readFileSync(GOLDEN, "utf8")));
});

test("writeArchive() gives the same name and the same bytes in another folder", () => {
  const [one, two] = [inScratch(archived), inScratch(archived)];
  assert.equal(one.name, two.name);
  assert.ok(one.bytes.equals(two.bytes));
});

function archived(dir: string): { readonly name: string; readonly bytes: Buffer } {
  const archive = writeArchive(join(dir, "images"), images(join(dir, "layers")));
  return { name: archive.slice(dir.length), bytes: readFileSync(archive) };
}

test("writeArchive() does not write again what is there", () => {
  inScratch((dir) => {
    const list = images(join(dir, "layers"));
    const archive = writeArchive(join(dir, "images"), list);
    rmSync(join(dir, "layers"), { recursive: true });
    assert.equal(writeArchive(join(dir, "images"), list), archive);
  });
});
