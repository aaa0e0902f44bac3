import { buildImages, DEFAULT_PREFIX, programNames } from "../../hack/images/images.ts";
import { CRDS, createNamespace, installOperator, NAMESPACE, RELAY } from "../../hack/run/install.ts";
import type { AgentLoad } from "../../hack/testbed/cluster/cluster.ts";
import { type LocalNodeCluster, localNodeCluster } from "../../hack/testbed/cluster/local-node.ts";
import { testbedPaths } from "../../hack/testbed/config.ts";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly ready: boolean }[];
  };
}

/** A real node with the operator and agents on it, and what tests ask of them. */
export interface ProductNode extends AsyncDisposable {
  readonly cluster: LocalNodeCluster;
  /** In the relay's namespace. */
  kubectl(...args: readonly string[]): Promise<string>;
  json<T>(...args: readonly string[]): Promise<T>;
  /** Of the relay, for its newest spec: undefined while the status is of an older one. */
  condition(type: string): Promise<Condition | undefined>;
  /** Ready, for its newest spec. */
  isReady(): Promise<boolean>;
  /** Of the relay, those that end included. */
  pods(): Promise<readonly Pod[]>;
  /** Merges into the relay's spec. */
  patchSpec(spec: object): Promise<void>;
}

const never = new AbortController().signal;

export async function startProduct(load: AgentLoad): Promise<ProductNode> {
  await using stack = new AsyncDisposableStack();
  const archive = await buildImages(programNames, { cache: testbedPaths().cache, prefix: DEFAULT_PREFIX });
  const cluster = stack.use(await localNodeCluster({ crds: [CRDS], images: [archive] }));
  stack.use(await installOperator(cluster, never));
  stack.use(await createNamespace(cluster, never));
  stack.use(await cluster.startAgents(NAMESPACE, load));
  const owned = stack.move();
  const kubectl = (...args: readonly string[]) => cluster.kubectl(["-n", NAMESPACE, ...args]);
  const json = async <T>(...args: readonly string[]) => JSON.parse(await kubectl("get", ...args, "-o", "json")) as T;
  const condition = async (type: string) => {
    const { metadata, status } = await json<{
      readonly metadata: { readonly generation: number };
      readonly status: { readonly conditions?: readonly Condition[] };
    }>(RELAY);
    const found = (status.conditions ?? []).find((one) => one.type === type);
    return found?.observedGeneration === metadata.generation ? found : undefined;
  };
  return {
    cluster,
    kubectl,
    json,
    condition,
    isReady: async () => (await condition("Ready"))?.status === "True",
    pods: async () => (await json<{ items: readonly Pod[] }>("pods", "-l", "kubearmor-app=kubearmor-relay")).items,
    async patchSpec(spec) {
      await kubectl("patch", RELAY, "--type=merge", "-p", JSON.stringify({ spec }));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
