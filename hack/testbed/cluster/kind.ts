import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageRef } from "../../images/images.ts";
import { CommandError, run } from "../command.ts";
import { type Command, createKubectl } from "../kubectl.ts";
import { startAgentPods } from "./agent-pods.ts";
import type { Cluster } from "./cluster.ts";

/** Why no kind cluster can be made here, as text for people; undefined when one can. */
export async function whyNoKind(): Promise<string | undefined> {
  const needed: readonly Command[] = [
    ["docker", "info"],
    ["kind", "version"],
    ["kubectl", "version", "--client"],
  ];
  for (const [program, ...args] of needed) {
    try {
      await run(program, args);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return error.status === undefined
        ? `kind needs ${program}, which is not in PATH`
        : `kind needs ${program}: ${error.stderr.trim().split("\n").at(-1)}`;
    }
  }
  return undefined;
}

/** A cluster of its own in Docker, with a kubeconfig of its own; both are removed at the end. */
export async function kindCluster(): Promise<Cluster> {
  const reason = await whyNoKind();
  if (reason !== undefined) throw new Error(`Cannot make a kind cluster: ${reason}`);
  const name = `kubearmor-relay-${process.pid}`;
  const dir = mkdtempSync(join(tmpdir(), "kubearmor-relay-kind-"));
  const kubeconfig = join(dir, "kubeconfig");
  const remove = async () => {
    await run("kind", ["delete", "cluster", `--name=${name}`, `--kubeconfig=${kubeconfig}`]);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await run("kind", ["create", "cluster", `--name=${name}`, `--kubeconfig=${kubeconfig}`, "--wait=120s"]);
  } catch (error) {
    await remove();
    throw error;
  }
  const kubectlCommand: Command = ["kubectl", "--kubeconfig", kubeconfig];
  const kubectl = createKubectl(kubectlCommand);
  return {
    kind: "kind",
    title: `the kind cluster "${name}"`,
    kubectl,
    kubectlCommand,
    hints: { kubectl: kubectlCommand.join(" "), inside: `docker exec ${name}-control-plane` },
    imagePrefix: "localhost/",
    isDisposable: true,
    async loadImages(archives) {
      for (const archive of archives) await run("kind", ["load", "image-archive", `--name=${name}`, archive]);
    },
    startAgents: (namespace, load) => startAgentPods(kubectl, namespace, imageRef("agents"), load),
    [Symbol.asyncDispose]: remove,
  };
}
