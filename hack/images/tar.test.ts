import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tar, type TarEntry } from "./tar.ts";

/** Made once with this code; it may change only with the format, and then every layer's digest does. */
const GOLDEN = "7d10217c23845f035a3d0181055fb833882ea3ce8db2a43d81aef21dcc884a8d";

const file = (path: string, text: string, mode = 0o644): TarEntry => ({
  kind: "file",
  path,
  mode,
  content: Buffer.from(text),
});
const bytes = (entries: readonly TarEntry[]) => Buffer.concat([...tar(entries)]);
const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");

test("tar() writes what the system's tar reads", () => {
  const dir = mkdtempSync(join(tmpdir(), "tar-test-"));
  try {
    const long = `${"folder/".repeat(14)}${"f".repeat(90)}`;
    const entries: TarEntry[] = [
      file("bin/run", "#!/bin/sh\n", 0o755),
      file("empty", ""),
      file(long, "x".repeat(513)),
      { kind: "directory", path: "tmp", mode: 0o1777 },
    ];
    writeFileSync(join(dir, "a.tar"), bytes(entries));
    execFileSync("tar", ["-C", dir, "-xpf", join(dir, "a.tar")]);
    assert.equal(readFileSync(join(dir, "bin/run"), "utf8"), "#!/bin/sh\n");
    assert.equal(statSync(join(dir, "bin/run")).mode & 0o777, 0o755);
    assert.equal(statSync(join(dir, "empty")).size, 0);
    assert.equal(readFileSync(join(dir, long), "utf8"), "x".repeat(513));
    assert.equal(statSync(join(dir, "tmp")).mode & 0o1777, 0o1777);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("tar() gives the same bytes for the same entries in any order, today and for ever", () => {
  const entries = [file("b/2", "two"), file("a", "one"), file("b/1", "three")];
  assert.ok(bytes(entries).equals(bytes(entries.toReversed())));
  assert.equal(sha256(bytes(entries)), GOLDEN);
});

test("tar() refuses a path that the format cannot hold", () => {
  assert.throws(() => bytes([file("f".repeat(101), "")]), RangeError);
});
