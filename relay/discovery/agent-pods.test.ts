import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../lib/kube/types.ts";
import { endpointText } from "../nodes/agent.ts";
import { chooseAgents } from "../nodes/choose-agents.ts";
import { agentOfPod, agentsOfPods, trimPod } from "./agent-pods.ts";

interface Scenario {
  readonly scenario: string;
  readonly about: string;
  readonly items: readonly KubeObject[];
  /** `podName#podIP` of the connections that the upstream relay keeps. */
  readonly upstreamConnections: readonly string[];
}

const file = new URL("../../test/fixtures/agent-pods.yaml", import.meta.url);
const scenarios = parseAllDocuments(readFileSync(file, "utf8")).map((document) => document.toJS() as Scenario);

/** Where we do better than upstream: one connection an address, and none for pods that have ended. */
const ours: Record<string, readonly string[]> = {
  "operator-plus-helm-two-namespaces": ["kubearmor-9xk2p#10.1.0.11"],
  "roll-same-node-same-address": ["kubearmor-bpf-containerd-2c06c-new01#10.1.0.11"],
  "roll-evicted-leftover": ["kubearmor-apparmor-containerd-98c2c-succ1#10.1.0.11"],
};

for (const { scenario: name, about, items, upstreamConnections } of scenarios) {
  test(`agentsOfPods(): ${name}${about === "" ? "" : ` (${about})`}`, () => {
    const agents = items
      .filter(({ metadata }) => metadata.labels?.["kubearmor-app"] === "kubearmor")
      .map((pod) => trimPod(pod));
    const names = new Map(items.map(({ metadata }) => [metadata.uid, metadata.name]));
    const chosen = [...chooseAgents(agentsOfPods(agents, undefined)).values()];
    const connections = chosen.map(({ id, endpoints }) => `${names.get(id)}#${endpoints[0]?.host}`);
    assert.deepEqual(connections.toSorted(), [...(ours[name] ?? upstreamConnections)].toSorted());
  });
}

function scenario(name: string): KubeObject {
  return scenarios.find((one) => one.scenario === name)?.items[0] ?? assert.fail(name);
}

function endpointsOf(pod: KubeObject, port?: number): readonly string[] | undefined {
  return agentOfPod(trimPod(pod), port)?.endpoints.map(endpointText);
}

test("agentOfPod() takes both families, and the port that the pod names", () => {
  assert.deepEqual(endpointsOf(scenario("dual-stack-v6-first")), ["[2001:db8:1::11]:32767", "10.1.0.11:32767"]);
  assert.deepEqual(endpointsOf(scenario("other-port")), ["10.1.0.11:40000"]);
  assert.deepEqual(endpointsOf(scenario("other-port"), 1234), ["10.1.0.11:1234"]);
  assert.deepEqual(endpointsOf(scenario("ports-unnamed")), ["10.1.0.11:32767"]);
});
