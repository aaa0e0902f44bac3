import { existsSync } from "node:fs";
import { join } from "node:path";
import { imageRef } from "../../images/images.ts";
import { ensurePrograms } from "../build.ts";
import { searchPath, testbedPaths } from "../config.ts";
import { type Command, createKubectl } from "../kubectl.ts";
import { consoleProgressDeps, startProgress } from "../progress.ts";
import { startAgentPods } from "./agent-pods.ts";
import type { Cluster } from "./cluster.ts";

export interface ExistingOptions {
  /** A context of the kubeconfig; undefined: its current one. */
  readonly context: string | undefined;
  /**
   * A registry that the cluster pulls from and that our images were pushed to, as `registry.example/team/`.
   * undefined: only the archives can be named, since there is no way to bring images to nodes from outside.
   */
  readonly imagePrefix: string | undefined;
}

/** The cluster that KUBECONFIG names. It is somebody's: nothing of it is changed but by what kubectl is told. */
export async function existingCluster(options: ExistingOptions): Promise<Cluster> {
  const context = options.context === undefined ? [] : [`--context=${options.context}`];
  const kubectlCommand: Command = [...(await findKubectl()), ...context];
  const kubectl = createKubectl(kubectlCommand);
  const imagePrefix = options.imagePrefix ?? "localhost/";
  const name = options.context ?? (await kubectl(["config", "current-context"])).trim();
  return {
    kind: "existing",
    title: `the existing cluster of context "${name}"`,
    kubectl,
    kubectlCommand,
    hints: { kubectl: ["kubectl", ...context].join(" "), inside: "" },
    imagePrefix,
    isDisposable: false,
    async loadImages(archives) {
      if (options.imagePrefix !== undefined) return;
      throw new Error(
        [
          "Cannot bring images to an existing cluster by itself. Load the archive where its nodes find it, for example:",
          ...archives.flatMap((path) => [
            `  minikube image load ${path}`,
            `  ctr --namespace k8s.io images import ${path}     (on every node)`,
            `  skopeo copy oci-archive:${path} docker://REGISTRY/NAME:TAG     (for each image in it)`,
          ]),
          "and run this again with --image-prefix=localhost/ (loaded) or --image-prefix=REGISTRY/ (pushed)",
        ].join("\n"),
      );
    },
    startAgents: (namespace, load) => startAgentPods(kubectl, namespace, imageRef("agents", imagePrefix), load),
    // Nothing was opened.
    async [Symbol.asyncDispose]() {},
  };
}

/** The user's own kubectl, which knows how to log in to the user's cluster; else the testbed's. */
async function findKubectl(): Promise<Command> {
  const own = searchPath().find((folder) => existsSync(join(folder, "kubectl")));
  if (own !== undefined) return [join(own, "kubectl")];
  using progress = startProgress(consoleProgressDeps);
  return [join(await ensurePrograms(testbedPaths().cache, progress), "kubebox"), "kubectl"];
}
