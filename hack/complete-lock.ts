/**
 * Adds to package-lock.json the optional packages for other platforms that the registry in use does not have: without their
 * entries `npm ci` refuses the lock file. Run it after `npm install`.
 *
 * An entry says the version, and the platform as the package's name tells it; npm installs it nowhere else.
 */
import { readFile, writeFile } from "node:fs/promises";

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const systems = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const processors = ["arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "x64"];

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(await readFile(path, "utf8")) as Lock;
const packages: Record<string, unknown> = { ...lock.packages };
for (const [owner, { dev, optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`;
    if (Object.hasOwn(packages, key)) continue;
    const words = new Set(name.split(/[/-]/));
    const os = systems.find((system) => words.has(system));
    const cpu = processors.find((processor) => words.has(processor));
    if (os === undefined || cpu === undefined) {
      throw new Error(`Cannot tell the platform of "${name}", which "${owner}" wants: add it to the lock file by hand`);
    }
    const libc = words.has("musl") || words.has("musleabihf") ? { libc: ["musl"] } : {};
    packages[key] = { version, cpu: [cpu], ...(dev === true ? { dev } : {}), ...libc, optional: true, os: [os] };
  }
}
const sorted = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, "en")));
await writeFile(path, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
