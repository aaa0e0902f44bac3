/** The testbed from the command line: build its programs, and keep a node up to look around on. */
import { spawn } from "node:child_process";
import { errorText } from "../../lib/process/log.ts";
import { ensurePrograms } from "./build.ts";
import { childEnv, testbedPaths } from "./config.ts";
import { ensurePackages } from "./debian.ts";
import { type LocalNode, listNodes, removeNode, startNode } from "./node.ts";
import { whyNoNode } from "./node/requirements.ts";
import { consoleProgressDeps, startProgress } from "./progress.ts";

const USAGE = `node hack/testbed/main.ts COMMAND

  build                  build the testbed's programs, unless the cache has them, and print their folder;
                         as root also install the Debian packages a node needs
  up [IMAGE.tar ...]     start a node with these OCI archives on it, and leave it running
  down                   end it
  status                 list the nodes that run
  kubectl ARGUMENTS      kubectl on it
  in COMMAND ARGUMENTS   a command of this machine in the node's network, where pods and Services answer

Several nodes may run; --node=ID before COMMAND names one, else the only one is meant.
`;

async function main(args: readonly string[]): Promise<number> {
  const named = /^--node=(.+)$/.exec(args[0] ?? "")?.[1];
  const [command, ...rest] = named === undefined ? args : args.slice(1);
  switch (command) {
    case "build":
      return build();
    case "up": {
      const node = await startNode({ id: named ?? "default", detached: true, images: rest });
      process.stdout.write(`${node.dir}\n`);
      return 0;
    }
    case "down":
      await removeNode(pick(named).id);
      return 0;
    case "status":
      for (const node of listNodes()) process.stdout.write(`${node.id}\t${node.dir}\n`);
      return 0;
    case "kubectl": {
      const node = pick(named);
      return foreground(node, [...node.kubectlCommand, ...rest]);
    }
    case "in": {
      const node = pick(named);
      return foreground(node, [...node.prefix, ...rest]);
    }
    case undefined:
    default:
      process.stderr.write(USAGE);
      return 2;
  }
}

async function build(): Promise<number> {
  using progress = startProgress(consoleProgressDeps);
  const reason = await whyNoNode();
  if (reason === undefined) await ensurePackages(progress);
  else progress.note(`no packages for nodes are needed here: ${reason}`);
  process.stdout.write(`${await ensurePrograms(testbedPaths().cache, progress)}\n`);
  return 0;
}

function pick(named: string | undefined): LocalNode {
  const nodes = listNodes();
  const ids = nodes.map((node) => node.id).join(", ");
  const [node, ...others] = named === undefined ? nodes : nodes.filter(({ id }) => id === named);
  if (node === undefined) {
    throw new Error(
      nodes.length === 0
        ? "No node runs; start one: node hack/testbed/main.ts up"
        : `No node "${named}" runs, only: ${ids}`,
    );
  }
  if (others.length > 0) throw new Error(`Several nodes run: ${ids}; choose one with --node=ID before the command`);
  return node;
}

function foreground(node: LocalNode, words: readonly string[]): Promise<number> {
  const [program, ...args] = words;
  const child = spawn(program ?? "", args, { stdio: "inherit", env: childEnv(node.env) });
  // Ctrl-C goes to the whole group: the command decides what it means.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status) => resolve(status ?? 1));
  });
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = 1;
  },
);
