import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addFakeAgentPods, addFakeNodes } from "../kwok.ts";
import { type LocalNode, type NodeOptions, startNode } from "../node.ts";
import { startTethered } from "../tether.ts";
import { agentArgs, type Cluster } from "./cluster.ts";

const AGENTS = join(import.meta.dirname, "..", "..", "agents", "main.ts");
const START_TIMEOUT_MS = 60_000;

/** 10.201.0.1, 10.201.0.2, …: all of 10.201.0.0/16 is local to the node. */
function agentAddress(index: number): string {
  const number = index + 1;
  return `10.201.${Math.floor(number / 256)}.${number % 256}`;
}

/** For those who know what their cluster is made of. */
export interface LocalNodeCluster extends Cluster {
  readonly node: LocalNode;
}

/** A real node on this machine. Root and Linux only. */
export async function localNodeCluster(options: NodeOptions = {}): Promise<LocalNodeCluster> {
  const node = await startNode(options);
  return {
    kind: "local-node",
    node,
    title: `a real node on this machine (${node.dir})`,
    kubectl: node.kubectl,
    kubectlCommand: node.kubectlCommand,
    hints: { kubectl: "hack/testbed/kubectl", inside: "hack/testbed/in" },
    imagePrefix: "localhost/",
    isDisposable: true,
    loadImages: (archives) => node.loadImages(archives),
    /** One process plays them all, at the addresses of pods that kwok keeps on as many nodes. */
    async startAgents(namespace, load) {
      await addFakeNodes(node.kubectl, load.count, agentAddress);
      const logFile = join(node.dir, "logs", "agents.log");
      const agents = await startTethered({
        bin: node.bin,
        // The prefix of the hosts makes events name the nodes that the cluster knows.
        command: [...node.prefix, process.execPath, AGENTS, ...agentArgs(load, agentAddress(0)), "--host-prefix=fake-"],
        logFile,
        env: node.env,
      });
      await agents.waitUntil(() => readFileSync(logFile, "utf8").includes('"kind":"ready"'), START_TIMEOUT_MS);
      await addFakeAgentPods(node.kubectl, namespace);
      return agents;
    },
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}
