import type { Cluster } from "../testbed/cluster/cluster.ts";
import { NAMESPACE, RELAY } from "./install.ts";

/** Commands to try, exact for this cluster. `endpoint`: the relay's address inside of it. */
export function hints(cluster: Pick<Cluster, "kind" | "hints">, endpoint: string): string {
  const kubectl = `${cluster.hints.kubectl} -n ${NAMESPACE}`;
  const patch = (stdout: string) => `${kubectl} patch ${RELAY} --type=merge -p '{"spec":{"stdout":${stdout}}}'`;
  const lines: (readonly [title: string, command: string])[] = [
    ["Print logs too, in the same pod and within seconds", patch('{"logs":true}')],
    ["Print nothing", patch('{"alerts":false,"logs":false}')],
    ["See what the operator says", `${kubectl} describe ${RELAY}`],
    ["See what it made", `${kubectl} get all,configmap,serviceaccount -l app.kubernetes.io/managed-by`],
    [
      "Break it and see it repaired",
      `${kubectl} delete configmap kubearmor-relay; sleep 2; ${kubectl} get configmap kubearmor-relay`,
    ],
    ["Run two relays, once they print nothing", `${kubectl} scale ${RELAY} --replicas=2`],
    ...subscribe(cluster, endpoint, kubectl),
  ];
  const text = lines.map(([title, command]) => `  # ${title}\n  ${command}`).join("\n");
  return `\nWhat to try next, from this folder in another terminal:\n\n${text}\n`;
}

function watchAlerts(address: string): string {
  return `grpcurl -plaintext -d '{"Filter":"policy"}' ${address} feeder.LogService/WatchAlerts`;
}

function subscribe(
  cluster: Pick<Cluster, "kind" | "hints">,
  endpoint: string,
  kubectl: string,
): (readonly [string, string])[] {
  if (cluster.kind === "local-node") {
    return [
      ["Subscribe, as any gRPC client can", `${cluster.hints.inside} ${watchAlerts(endpoint)}`],
      [
        "Subscribe with KubeArmor's own client, if you have it",
        `${cluster.hints.inside} karmor logs --gRPC=${endpoint} --json`,
      ],
    ];
  }
  const local = "localhost:32767";
  return [
    ["Make the relay reachable from here, and leave this running", `${kubectl} port-forward service/kubearmor 32767`],
    ["Subscribe, as any gRPC client can", watchAlerts(local)],
    ["Subscribe with KubeArmor's own client", `karmor logs --gRPC=${local} --json`],
  ];
}
