import { applyObjects, type Kubectl } from "../kubectl.ts";
import { type AgentLoad, agentArgs } from "./cluster.ts";

const NAME = "simulated-agents";

/** The Deployment of one simulated agent a pod, for clusters whose network is out of our hands. */
export function agentDeployment(namespace: string, image: string, load: AgentLoad): object {
  // The label is that of KubeArmor's own pods: relays find agents by it.
  const labels = { "kubearmor-app": "kubearmor" };
  const selector = { ...labels, "app.kubernetes.io/name": NAME };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME, namespace, labels: { "app.kubernetes.io/name": NAME } },
    spec: {
      replicas: load.count,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector },
        spec: {
          terminationGracePeriodSeconds: 2,
          securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
          containers: [
            {
              name: "agent",
              image,
              imagePullPolicy: "IfNotPresent",
              args: [...agentArgs({ ...load, count: 1 }, "$(POD_IP)"), "--host-prefix=$(NODE_NAME)-"],
              env: [
                { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
                { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
              ],
              ports: [{ name: "grpc", containerPort: 32767 }],
              resources: { requests: { cpu: "10m", memory: "48Mi" }, limits: { memory: "192Mi" } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
            },
          ],
        },
      },
    },
  };
}

/** Starts agents as pods and waits until they run; disposing of the result removes them. */
export async function startAgentPods(
  kubectl: Kubectl,
  namespace: string,
  image: string,
  load: AgentLoad,
): Promise<AsyncDisposable> {
  await applyObjects(kubectl, [agentDeployment(namespace, image, load)]);
  const target = ["-n", namespace, `deployment/${NAME}`];
  await kubectl(["rollout", "status", "--timeout=180s", ...target]);
  return {
    async [Symbol.asyncDispose]() {
      await kubectl(["delete", "--ignore-not-found", ...target]);
    },
  };
}
