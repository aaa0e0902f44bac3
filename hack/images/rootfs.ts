import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { run } from "../testbed/command.ts";
import type { TarEntry } from "./tar.ts";

/** The files below `folder`, as they will be found below `target` in the image. */
export function folderEntries(folder: string, target: string): TarEntry[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): TarEntry => {
      const from = join(entry.parentPath, entry.name);
      return { kind: "copy", path: `${target}/${relative(folder, from)}`, mode: 0o644, from };
    });
}

/** Users an image may run as, and name services in the order the C library asks them. */
const ETC: readonly TarEntry[] = [
  {
    kind: "file",
    path: "etc/passwd",
    mode: 0o644,
    content: Buffer.from("root:x:0:0::/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n"),
  },
  { kind: "file", path: "etc/group", mode: 0o644, content: Buffer.from("root:x:0:\nnonroot:x:65532:\n") },
  { kind: "file", path: "etc/nsswitch.conf", mode: 0o644, content: Buffer.from("hosts: files dns\n") },
  { kind: "directory", path: "tmp", mode: 0o1777 },
];

/** Node, the C libraries it is linked with, and nothing else: no shell, no package manager. */
export async function nodeEntries(): Promise<TarEntry[]> {
  const node = findNode();
  const libraries = libraryPaths(await run("ldd", [node]));
  const folder = libraries.map(dirname).find((path) => existsSync(join(path, "libresolv.so.2")));
  // Loaded by name when a host name is looked up; ldd cannot know. New C libraries have some of them built in.
  const named = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"].map((name) => join(folder ?? "/lib", name));
  return [
    ...ETC,
    { kind: "copy", path: "bin/node", mode: 0o755, from: node },
    ...[...libraries, ...named.filter((path) => existsSync(path))].map((path): TarEntry => {
      return { kind: "copy", path: path.slice(1), mode: 0o755, from: realpathSync(path) };
    }),
  ];
}

/** The Node binary that the project's own install brings. */
function findNode(): string {
  const name = `node-linux-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    const binary = join(dirname(require.resolve(`${name}/package.json`)), "bin", "node");
    if (statSync(binary).isFile()) return binary;
  } catch (cause) {
    throw new Error(
      `Cannot build images on ${process.platform}/${process.arch}: the package ${name} is not installed; run: npm ci`,
      {
        cause,
      },
    );
  }
  throw new Error(`Cannot build images: ${name} has no bin/node`);
}

/** The files that ldd names, as absolute paths. */
export function libraryPaths(lddOutput: string): string[] {
  return [...lddOutput.matchAll(/(?:^|\s)(\/[^\s:]+) \(0x/g)].map((match) => match[1] ?? "");
}
