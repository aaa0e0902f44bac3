import assert from "node:assert/strict";
import { test } from "node:test";
import { libraryPaths } from "./rootfs.ts";

test("libraryPaths() takes the files that ldd found, the loader too, and not the kernel's own", () => {
  const output = [
    "\tlinux-vdso.so.1 (0x00007ffd6d5f2000)",
    "\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f5c1a5f0000)",
    "\tlibstdc++.so.6 => /usr/lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f5c1a200000)",
    "\t/lib64/ld-linux-x86-64.so.2 (0x00007f5c1a600000)",
    "",
  ].join("\n");
  assert.deepEqual(libraryPaths(output), [
    "/lib/x86_64-linux-gnu/libdl.so.2",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/lib64/ld-linux-x86-64.so.2",
  ]);
});
