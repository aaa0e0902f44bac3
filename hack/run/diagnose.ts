import type { Cluster } from "../testbed/cluster/cluster.ts";
import { NAMESPACE } from "./install.ts";

const QUESTIONS: readonly (readonly string[])[] = [
  ["get", "pods", "-A", "-o", "wide", "-l", "kubearmor-app!=kubearmor"],
  ["-n", NAMESPACE, "logs", "--tail=15", "deployment/kubearmor-relay"],
  ["-n", NAMESPACE, "logs", "--tail=15", "--previous", "deployment/kubearmor-relay"],
  ["-n", "kubearmor-relay-system", "logs", "--tail=15", "deployment/kubearmor-relay-operator"],
];

/** What a person would look at when the run failed: the cluster is about to go. */
export async function diagnose(cluster: Cluster): Promise<string> {
  const answers = await Promise.all(
    QUESTIONS.map(async (args) => {
      const answer = await cluster.kubectl(args).catch((error: unknown) => String(error));
      return `$ kubectl ${args.join(" ")}\n${answer.trim()}\n`;
    }),
  );
  return answers.join("\n");
}
