import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  clusterRoleBindings,
  clusterRoles,
  deployments,
  networkPolicies,
  podDisruptionBudgets,
  roleBindings,
  roles,
  services,
} from "../../lib/kube/resources.ts";
import type { Resource } from "../../lib/kube/types.ts";
import { relayResource } from "../../operator/api/relay.ts";
import type { Operator } from "../../operator/operator.ts";
import {
  type Harness,
  conditionOf,
  eventually,
  startHarness,
  statusOf,
  untilCondition,
  untilIdle,
  writesOf,
} from "./operator-harness.ts";

let harness: Harness;
let operator: Operator;

before(async () => {
  harness = await startHarness();
  operator = await harness.start();
});

after(async () => {
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

const limit = { timeout: 60_000 };

async function readyRelay(namespace: string, spec = {}) {
  const at = { namespace, name: "relay" };
  await harness.createNamespace(namespace);
  await harness.createRelay(namespace, at.name, spec);
  await untilCondition(harness.admin, at, "Ready", "True");
  return at;
}

/** Turned on by the first spec and off by the second; the object of that kind comes and goes. */
const optional: Readonly<Record<string, readonly [resource: Resource, on: object, off: object]>> = {
  "several replicas": [podDisruptionBudgets, { replicas: 2 }, { replicas: 1 }],
  "spec.networkPolicy.enabled": [
    networkPolicies,
    { networkPolicy: { enabled: true, from: [{ namespaceLabels: { team: "siem" } }] } },
    { networkPolicy: { enabled: false } },
  ],
};

for (const [index, [what, [resource, on, off]]] of Object.entries(optional).entries()) {
  test(`${what}: there is a ${resource.kind} as long, and not after`, limit, async () => {
    const at = await readyRelay(`optional-${index}`);
    assert.equal(await harness.admin.get(resource, at), undefined);
    await harness.admin.mergePatch(relayResource, at, { spec: on });
    await eventually("it is there", () => harness.admin.get(resource, at));
    await untilCondition(harness.admin, at, "Ready", "True");
    await untilIdle(operator);
    const earlier = writesOf(await harness.requests()).length;
    await operator[Symbol.asyncDispose]();
    operator = await harness.start();
    await untilIdle(operator);
    // An Event that repeated is counted at the end of the process.
    const later = writesOf(await harness.requests()).slice(earlier);
    assert.deepEqual(
      later.filter(({ uri }) => !uri.includes("/events/")),
      [],
      "what is as it should be is not written",
    );
    await harness.admin.mergePatch(relayResource, at, { spec: off });
    await eventually("it is gone", async () =>
      (await harness.admin.get(resource, at)) === undefined ? true : undefined,
    );
    await untilCondition(harness.admin, at, "Ready", "True");
  });
}

test(
  "spec.agents.namespaces without enrichment: rights in those namespaces instead of the cluster",
  limit,
  async () => {
    await harness.createNamespace("agents-a");
    await harness.createNamespace("agents-b");
    const at = await readyRelay("rights");
    const name = "kubearmor-relay:rights:relay";
    const inCluster = { namespace: "", name };
    const there = async () => {
      const objects = await Promise.all([
        harness.admin.get(clusterRoles, inCluster),
        harness.admin.get(clusterRoleBindings, inCluster),
        ...["agents-a", "agents-b"].flatMap((namespace) => [
          harness.admin.get(roles, { namespace, name }),
          harness.admin.get(roleBindings, { namespace, name }),
        ]),
      ]);
      return objects.map((object) => (object === undefined ? "-" : "x")).join("");
    };
    const until = (wanted: string) => eventually(wanted, async () => ((await there()) === wanted ? true : undefined));
    await until("xx----");
    const enrichment = { remoteHost: false };
    await harness.admin.mergePatch(relayResource, at, { spec: { enrichment, agents: { namespaces: ["agents-a"] } } });
    await until("--xx--");
    await untilCondition(harness.admin, at, "Ready", "True");
    await harness.admin.mergePatch(relayResource, at, { spec: { agents: { namespaces: ["agents-b"] } } });
    await until("----xx");
    const away = { propagationPolicy: "Background" } as const;
    await harness.admin.delete(roles, { namespace: "agents-b", name }, away);
    await until("----xx");
    await harness.admin.delete(relayResource, at, away);
    await until("------");
  },
);

test("the Service for metrics: it is none that clients find, and none that the status names", limit, async () => {
  const at = await readyRelay("metrics");
  const all = await harness.admin.list(services, { namespace: at.namespace, labelSelector: "kubearmor-app" });
  assert.deepEqual(
    all.map(({ metadata }) => metadata.name),
    ["kubearmor"],
  );
  assert.ok(await harness.admin.get(services, { ...at, name: "relay-metrics" }));
  const relay = await harness.admin.get(relayResource, at);
  assert.equal(statusOf(relay).endpoint, "kubearmor.metrics.svc:32767");
});

test("a Service name that is taken: no pod of a new relay is started beside it", limit, async () => {
  const at = { namespace: "service-taken", name: "relay" };
  await harness.createNamespace(at.namespace);
  await harness.plane.kubectl(["-n", at.namespace, "create", "service", "clusterip", "kubearmor", "--tcp=80"]);
  await harness.createRelay(at.namespace, at.name, {});
  const relay = await untilCondition(harness.admin, at, "Applied", "False", "NameConflict");
  assert.match(conditionOf(relay, "Applied")?.message ?? "", /Service kubearmor/);
  assert.equal(await harness.admin.get(deployments, at), undefined);
  await untilIdle(operator);
  const theirs = await harness.admin.get(services, { ...at, name: "kubearmor" });
  assert.deepEqual(
    theirs?.metadata.managedFields?.map(({ manager }) => manager),
    ["kubectl-create"],
  );
});
