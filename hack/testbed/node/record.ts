import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { TestbedPaths } from "../config.ts";
import { identify, isAlive, type ProcessIdentity } from "../processes.ts";

/** What is written down about a running node, in its directory. */
export interface NodeRecord {
  readonly id: string;
  /** The process that ends it when it ends. */
  readonly owner: ProcessIdentity;
  readonly bin: string;
}

/** Makes the node's directory appear with its record in it, so that nobody takes it for a leftover. */
export function claimDir(paths: TestbedPaths, id: string, bin: string): string {
  if (!/^[\w-]{1,40}$/.test(id))
    throw new RangeError(`Cannot name a node "${id}": only letters, digits, _ and - are allowed`);
  const self = identify(process.pid);
  if (self === undefined) throw new Error(`Cannot find this process, ${process.pid}, in the process table`);
  mkdirSync(paths.run, { recursive: true });
  const draft = mkdtempSync(join(paths.run, "draft-"));
  writeRecord(draft, { id, owner: self, bin });
  const dir = nodeDir(paths, id);
  try {
    renameSync(draft, dir);
  } catch (cause) {
    rmSync(draft, { recursive: true });
    throw new Error(`Cannot start the node "${id}": it runs already (see: node hack/testbed/main.ts status)`, {
      cause,
    });
  }
  return dir;
}

/** Replaces the record at once: readers see the old one or the new. */
export function writeRecord(dir: string, record: NodeRecord): void {
  writeFileSync(join(dir, "record.json.draft"), JSON.stringify(record));
  renameSync(join(dir, "record.json.draft"), join(dir, "record.json"));
}

export function readRecord(dir: string): NodeRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, "record.json"), "utf8")) as NodeRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`Cannot read the record of the node in ${dir}`, { cause: error });
  }
}

/** Whether the process lives that ends this node when it ends. */
export function isOwned(dir: string): boolean {
  const record = readRecord(dir);
  return record !== undefined && isAlive(record.owner);
}

/** Of all nodes, running or left behind. */
export function nodeDirs(paths: TestbedPaths): string[] {
  if (!existsSync(paths.run)) return [];
  return readdirSync(paths.run).flatMap((name) => (name.startsWith("node-") ? [join(paths.run, name)] : []));
}

export function nodeDir(paths: TestbedPaths, id: string): string {
  return join(paths.run, `node-${id}`);
}

export function idOf(dir: string): string {
  return dir.slice(dir.lastIndexOf("/node-") + "/node-".length);
}

/** The name of the node's cgroup in every hierarchy. */
export function cgroupOf(id: string): string {
  return `kubearmor-relay-${id}`;
}

/** The shell command that removes what a node leaves on the host. It may be run again. */
export function cleanCommand(dir: string, cgroup: string): string {
  return `'${join(import.meta.dirname, "clean.sh")}' '${dir}' '${cgroup}'`;
}

/** Copies a failed node's logs to where its removal does not reach. */
export function keepLogs(dir: string): string {
  const kept = join(dirname(dir), `failed-${idOf(dir)}`);
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  for (const name of ["node.log", "logs"])
    if (existsSync(join(dir, name))) renameSync(join(dir, name), join(kept, name));
  return kept;
}
