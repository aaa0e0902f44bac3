import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildPauseImage, PAUSE_REF } from "../images/images.ts";
import { ensurePrograms } from "./build.ts";
import { run, type RunOptions } from "./command.ts";
import { searchPath, type TestbedPaths, testbedPaths } from "./config.ts";
import { ensurePackages } from "./debian.ts";
import { type Command, createKubectl, type Kubectl, kubectlCache, testbedKubectl } from "./kubectl.ts";
import { kwokArgs } from "./kwok.ts";
import { NODE_NAME, nodeFiles } from "./node/files.ts";
import {
  cgroupOf,
  claimDir,
  cleanCommand,
  idOf,
  isOwned,
  keepLogs,
  nodeDir,
  nodeDirs,
  readRecord,
  writeRecord,
} from "./node/record.ts";
import { whyNoNode } from "./node/requirements.ts";
import { isAlive } from "./processes.ts";
import { consoleProgressDeps, type Progress, startProgress } from "./progress.ts";
import { startTethered, type Tethered } from "./tether.ts";

/** The node's own address. */
const NODE_IP = "10.200.0.1";
const CNI_BINS = ["/usr/lib/cni", "/opt/cni/bin"];
const START_TIMEOUT_MS = 150_000;

export interface NodeOptions {
  /** OCI archives to have on the node; the pause image is always there. */
  readonly images?: readonly string[];
  /** Files or folders of CRDs, see `ControlPlaneOptions.crds`. */
  readonly crds?: readonly string[];
  /** Names the node for `attachNode` and the command line. Default: this process's id. */
  readonly id?: string;
  /** Keep the node when this process ends; it is then ended by `removeNode`. Default false. */
  readonly detached?: boolean;
}

/** A cluster with one real node, in namespaces of its own: reached through this object only. */
export interface LocalNode {
  readonly id: string;
  readonly dir: string;
  readonly bin: string;
  /** Works inside the node's network only. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** For those who start kubectl themselves. */
  readonly kubectlCommand: Command;
  /** The words in front of a command that make it run in the node's network, with the host's files. */
  readonly prefix: Command;
  /** Runs a command in the node's network, KUBECONFIG set and the testbed's programs in PATH. */
  in(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** The environment of such a command, for those who start it themselves. */
  readonly env: Readonly<Record<string, string>>;
  /** Loads OCI archives. */
  loadImages(archives: readonly string[]): Promise<void>;
}

/**
 * Starts a control plane, containerd, kubelet, kube-proxy, DNS and kwok, and returns when the node is Ready, after
 * about six seconds. It ends when it is disposed of, or when this process ends, be it by SIGKILL, unless `detached`.
 * Several at a time do not disturb each other.
 */
export async function startNode(options: NodeOptions = {}): Promise<LocalNode & AsyncDisposable> {
  using progress = startProgress(consoleProgressDeps);
  const reason = await whyNoNode();
  if (reason !== undefined) throw new Error(`Cannot start a node: ${reason}`);
  const paths = testbedPaths();
  await ensurePackages(progress);
  const bin = await ensurePrograms(paths.cache, progress);
  await removeLeftovers(paths);
  progress.step("starting the node");
  const id = options.id ?? String(process.pid);
  const dir = claimDir(paths, id, bin);
  const supervisor = await launch(options, { id, dir, bin, cache: paths.cache }, progress);
  return { ...describe(dir), [Symbol.asyncDispose]: () => supervisor[Symbol.asyncDispose]() };
}

async function launch(
  options: NodeOptions,
  node: { id: string; dir: string; bin: string; cache: string },
  progress: Progress,
): Promise<Tethered> {
  const { id, dir, bin, cache } = node;
  const cgroup = cgroupOf(id);
  const cniBin = CNI_BINS.find((folder) => existsSync(join(folder, "bridge")));
  if (cniBin === undefined) throw new Error(`Cannot start a node: no CNI plugins in ${CNI_BINS.join(" or ")}`);
  writeFiles(dir, nodeFiles({ dir, cgroup, ip: NODE_IP, pauseRef: PAUSE_REF, cniBin }));
  const supervisor = await startTethered({
    bin,
    command: [join(import.meta.dirname, "node", "inner.sh")],
    namespaces: true,
    detached: options.detached === true,
    pidFile: join(dir, "pid"),
    after: cleanCommand(dir, cgroup),
    logFile: join(dir, "node.log"),
    env: {
      DIR: dir,
      BIN: bin,
      CGROUP: cgroup,
      IP: NODE_IP,
      NODE_NAME,
      IMAGES: [buildPauseImage(bin, cache), ...(options.images ?? [])].join(" "),
      CRDS: (options.crds ?? []).map((path) => `--pre=${path}`).join(" "),
      KUBECACHEDIR: kubectlCache(dir),
      KWOK_ARGS: kwokArgs(join(dir, "cp", "kwok.kubeconfig")).join(" "),
      PATH: searchPath().join(":"),
    },
  });
  writeRecord(dir, { id, owner: supervisor.identity, bin });
  try {
    await supervisor.waitUntil(() => existsSync(join(dir, "up")), START_TIMEOUT_MS);
  } catch (cause) {
    const kept = keepLogs(dir);
    await supervisor[Symbol.asyncDispose]();
    throw new Error(`Cannot start the node; its logs are in ${kept}`, { cause });
  }
  progress.step("the node is Ready");
  return supervisor;
}

/** The nodes that run on this machine now. */
export function listNodes(paths: TestbedPaths = testbedPaths()): LocalNode[] {
  return nodeDirs(paths)
    .filter((dir) => existsSync(join(dir, "up")) && isOwned(dir))
    .map(describe);
}

/** Ends a node that another process started. */
export async function removeNode(id: string, paths: TestbedPaths = testbedPaths()): Promise<void> {
  const dir = nodeDir(paths, id);
  const record = readRecord(dir);
  if (record === undefined) throw new Error(`Cannot remove the node "${id}": there is none`);
  if (isAlive(record.owner)) process.kill(record.owner.pid, "SIGTERM");
  while (isAlive(record.owner)) await new Promise((resolve) => setTimeout(resolve, 50));
  await run("/bin/sh", ["-c", cleanCommand(dir, cgroupOf(id))]);
}

/** Clears away what nodes left behind that were killed together with everything that would have cleaned up. */
async function removeLeftovers(paths: TestbedPaths): Promise<void> {
  for (const dir of nodeDirs(paths).filter((path) => !isOwned(path))) {
    await run("/bin/sh", ["-c", cleanCommand(dir, cgroupOf(idOf(dir)))]);
  }
}

function describe(dir: string): LocalNode {
  const record = readRecord(dir);
  if (record === undefined) throw new Error(`Cannot use the node in ${dir}: it was removed`);
  const { id, bin } = record;
  const kubeconfig = join(dir, "cp", "admin.kubeconfig");
  const prefix: Command = ["nsenter", `--net=/proc/${readFileSync(join(dir, "pid"), "utf8")}/ns/net`, "--"];
  const env = { KUBECONFIG: kubeconfig, KUBECACHEDIR: kubectlCache(dir), PATH: [bin, ...searchPath()].join(":") };
  const kubectlCommand: Command = [...prefix, ...testbedKubectl(bin, kubeconfig, dir)];
  const inside: LocalNode["in"] = (command, args, options = {}) => {
    const [enter, ...words] = prefix;
    return run(enter, [...words, command, ...args], { ...options, env: { ...env, ...options.env } });
  };
  return {
    id,
    dir,
    bin,
    kubeconfig,
    prefix,
    env,
    kubectl: createKubectl(kubectlCommand),
    kubectlCommand,
    in: inside,
    async loadImages(archives) {
      for (const archive of archives) {
        await inside("ctr", [
          "--address",
          join(dir, "containerd.sock"),
          "--namespace",
          "k8s.io",
          "images",
          "import",
          archive,
        ]);
      }
    },
  };
}

function writeFiles(dir: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(dir, "logs"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
}
