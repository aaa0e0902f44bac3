import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { ApiError } from "../../lib/kube/errors.ts";
import { configMaps, deployments, namespaces } from "../../lib/kube/resources.ts";
import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { relayResource } from "../../operator/api/relay.ts";
import { type Operator, startOperator } from "../../operator/operator.ts";
import { startWebhook } from "./operator-admission-webhook.ts";
import { auditedCalls, isWrite } from "./operator-audit.ts";
import { operatorUser } from "./operator-child.ts";
import { type Harness, conditionOf, eventually, startHarness, untilCondition } from "./operator-harness.ts";

const limit = { timeout: 100_000 };
/** Instead of a minute. */
const recheckBlockedMs = 1_000;
let harness: Harness;
let operator: Operator;

before(async () => {
  harness = await startHarness();
  operator = await startOperator(
    {
      namespaces: [],
      httpPort: 0,
      relayImage: "localhost/relay:test",
      leaderElect: false,
      leaseNamespace: undefined,
      concurrency: 4,
      recheckBlockedMs,
    },
    {
      cluster: loadCluster({ kubeconfig: harness.operatorKubeconfig }),
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    },
  );
  await operator.working;
});

after(async () => {
  await operator[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

const resource = (group: string, kind: string, plural: string, namespaced: boolean): Resource => ({
  group,
  version: "v1",
  kind,
  plural,
  namespaced,
});
const quotas = resource("", "ResourceQuota", "resourcequotas", true);
const limitRanges = resource("", "LimitRange", "limitranges", true);
const webhooks = resource(
  "admissionregistration.k8s.io",
  "ValidatingWebhookConfiguration",
  "validatingwebhookconfigurations",
  false,
);
const policies = resource(
  "admissionregistration.k8s.io",
  "ValidatingAdmissionPolicy",
  "validatingadmissionpolicies",
  false,
);
const bindings = resource(
  "admissionregistration.k8s.io",
  "ValidatingAdmissionPolicyBinding",
  "validatingadmissionpolicybindings",
  false,
);

const object = (of: Resource, metadata: KubeObject["metadata"], rest: object): KubeObject => ({
  apiVersion: of.group === "" ? of.version : `${of.group}/${of.version}`,
  kind: of.kind,
  metadata,
  ...rest,
});

/** Its words, once a condition of the relay is so. */
async function messageOf(namespace: string, type: string, status: string, reason: string): Promise<string> {
  const relay = await untilCondition(harness.admin, { namespace, name: "relay" }, type, status, reason);
  return conditionOf(relay, type)?.message ?? "";
}

const untilReady = (namespace: string) => untilCondition(harness.admin, { namespace, name: "relay" }, "Ready", "True");

test("a quota leaves no room for the Deployment: the server's message, and it clears by itself", limit, async () => {
  const namespace = "quota";
  await harness.createNamespace(namespace);
  const name = "none";
  await harness.admin.create(
    quotas,
    object(quotas, { namespace, name }, { spec: { hard: { "count/deployments.apps": "0" } } }),
  );
  await eventually("the quota is in force", async () =>
    (await harness.admin.get(quotas, { namespace, name }))?.["status"] !== undefined ? true : undefined,
  );
  await harness.createRelay(namespace, "relay", {});
  assert.match(
    await messageOf(namespace, "Applied", "False", "QuotaExceeded"),
    /exceeded quota: none.*deployments\.apps=1/,
  );
  await untilCondition(harness.admin, { namespace, name: "relay" }, "Stalled", "True", "QuotaExceeded");
  await harness.admin.delete(quotas, { namespace, name });
  const relay = await untilReady(namespace);
  assert.equal(conditionOf(relay, "Stalled"), undefined);
});

test(
  "a quota leaves no room for the pods: the words of the ReplicaSet's controller, and it clears by itself",
  limit,
  async () => {
    const namespace = "pod-quota";
    await harness.createNamespace(namespace);
    await harness.admin.create(quotas, object(quotas, { namespace, name: "none" }, { spec: { hard: { pods: "0" } } }));
    await eventually("the quota is in force", async () =>
      (await harness.admin.get(quotas, { namespace, name: "none" }))?.["status"] !== undefined ? true : undefined,
    );
    await harness.createRelay(namespace, "relay", {});
    assert.match(await messageOf(namespace, "Degraded", "True", "PodsRefused"), /exceeded quota: none/);
    await harness.admin.delete(quotas, { namespace, name: "none" });
    await untilReady(namespace);
  },
);

test("a LimitRange allows less than the pods ask for: its words, and it clears by itself", limit, async () => {
  const namespace = "limit-range";
  await harness.createNamespace(namespace);
  const limits = [{ type: "Container", max: { memory: "1Mi" } }];
  await harness.admin.create(limitRanges, object(limitRanges, { namespace, name: "tiny" }, { spec: { limits } }));
  await harness.createRelay(namespace, "relay", {});
  assert.match(
    await messageOf(namespace, "Degraded", "True", "PodsRefused"),
    /maximum memory usage per Container is 1Mi/,
  );
  await harness.admin.delete(limitRanges, { namespace, name: "tiny" });
  await untilReady(namespace);
});

test(
  "an admission policy refuses the Deployment: its message, no hot loop, and it clears by itself",
  limit,
  async () => {
    const namespace = "policy";
    await harness.createNamespace(namespace);
    const rule = {
      apiGroups: ["apps"],
      apiVersions: ["*"],
      operations: ["CREATE", "UPDATE"],
      resources: ["deployments"],
    };
    const spec = {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: "false", message: "no Deployments on a Monday" }],
    };
    const selector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
    await harness.admin.create(policies, object(policies, { name: "monday" }, { spec }));
    await harness.admin.create(
      bindings,
      object(
        bindings,
        { name: "monday" },
        {
          spec: {
            policyName: "monday",
            validationActions: ["Deny"],
            matchResources: { namespaceSelector: selector },
          },
        },
      ),
    );
    await untilRefused(namespace, /no Deployments on a Monday/);
    await harness.createRelay(namespace, "relay", {});
    assert.match(
      await messageOf(namespace, "Applied", "False", "Rejected"),
      /monday.*denied request: no Deployments on a Monday/,
    );
    await untilCondition(harness.admin, { namespace, name: "relay" }, "Stalled", "True", "Rejected");
    await harness.admin.delete(bindings, { name: "monday" });
    await harness.admin.delete(policies, { name: "monday" });
    await untilReady(namespace);
  },
);

/** A policy or a webhook is in force a moment after it was made. */
async function untilRefused(namespace: string, words: RegExp): Promise<void> {
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "a", image: "a" }] } };
  const probe = object(
    deployments,
    { namespace, name: "probe" },
    { spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template } },
  );
  await eventually("it is refused", async () => {
    try {
      await harness.admin.create(deployments, probe);
    } catch (error) {
      if (words.test(String(error))) return true;
      // For a moment the server may say that it is not ready to judge.
      if (!(error instanceof ApiError)) throw error;
      return undefined;
    }
    await harness.admin.delete(deployments, { namespace, name: "probe" });
    return undefined;
  });
}

test(
  "a webhook refuses the Deployment, then is down: its words, then the server's, and both clear by themselves",
  limit,
  async () => {
    const namespace = "webhook";
    await harness.createNamespace(namespace);
    await using webhook = await startWebhook();
    webhook.judge = () => "the image is not signed";
    const { url, caBundle } = webhook;
    const rule = {
      apiGroups: ["apps"],
      apiVersions: ["*"],
      operations: ["CREATE", "UPDATE"],
      resources: ["deployments"],
    };
    const hook = {
      name: "signatures.example.org",
      clientConfig: { url, caBundle },
      rules: [rule],
      failurePolicy: "Fail",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      timeoutSeconds: 2,
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    };
    await harness.admin.create(webhooks, object(webhooks, { name: "signatures" }, { webhooks: [hook] }));
    await untilRefused(namespace, /not signed/);
    await harness.createRelay(namespace, "relay", {});
    assert.match(
      await messageOf(namespace, "Applied", "False", "Rejected"),
      /signatures\.example\.org.*denied the request: the image is not signed/,
    );
    webhook.judge = () => undefined;
    await untilReady(namespace);
    await webhook.close();
    await harness.admin.mergePatch(relayResource, { namespace, name: "relay" }, { spec: { podLabels: { a: "b" } } });
    assert.match(await messageOf(namespace, "Applied", "False", "ApplyFailed"), /failed calling webhook.*signatures/);
    await harness.admin.delete(webhooks, { name: "signatures" });
    await untilReady(namespace);
  },
);

test(
  "annotations that are too long for the server: its words, not retried hot, and put right by a change",
  limit,
  async () => {
    const namespace = "long";
    await harness.createNamespace(namespace);
    // Each as long as it may be, and together longer than the server takes for one object.
    const annotations = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`a${index}`, "x".repeat(4096)]));
    const relay = await harness.createRelay(namespace, "relay", { podTemplate: { metadata: { annotations } } });
    assert.ok(relay.metadata.uid);
    const message = await messageOf(namespace, "Applied", "False", "Rejected");
    assert.match(message, /annotations.*Too long|may not be more than/);
    const writes = (await auditedCalls(harness.plane.auditLog)).filter(
      (call) => call.user === operatorUser && isWrite(call) && call.uri.includes(`/${namespace}/deployments`),
    );
    const lastedMs = ((writes.at(-1)?.receivedUs ?? 0) - (writes[0]?.receivedUs ?? 0)) / 1000;
    // Passes follow the first ones' own objects; after them it is tried again at the pace of the rechecks.
    assert.ok(writes.length <= 4 + lastedMs / recheckBlockedMs, `${writes.length} writes in ${lastedMs} ms`);
    await harness.admin.mergePatch(relayResource, { namespace, name: "relay" }, { spec: { podTemplate: null } });
    await untilReady(namespace);
  },
);

test(
  "two items of one key by podTemplate: said in a condition, nothing is tried, and put right by a change",
  limit,
  async () => {
    const namespace = "twice";
    await harness.createNamespace(namespace);
    const hostAliases = ["one", "two"].map((hostname) => ({ ip: "192.0.2.1", hostnames: [hostname] }));
    await harness.createRelay(namespace, "relay", { podTemplate: { spec: { hostAliases } } });
    assert.match(
      await messageOf(namespace, "Stalled", "True", "InvalidSpec"),
      /hostAliases\[192\.0\.2\.1\]: is there twice/,
    );
    const writes = (await auditedCalls(harness.plane.auditLog)).filter(
      (call) => call.user === operatorUser && isWrite(call) && call.uri.includes(`/${namespace}/deployments`),
    );
    assert.deepEqual(writes, []);
    await harness.admin.mergePatch(relayResource, { namespace, name: "relay" }, { spec: { podTemplate: null } });
    await untilReady(namespace);
  },
);

test("the namespace is being deleted: nothing is tried hot, and nothing of the relay is left", limit, async () => {
  const namespace = "ending";
  await harness.createNamespace(namespace);
  await harness.createRelay(namespace, "relay", {});
  await untilReady(namespace);
  // Keeps the namespace in its last state until we have seen it.
  const held = object(configMaps, { namespace, name: "held", finalizers: ["test.example.org/held"] }, {});
  await harness.admin.create(configMaps, held);
  await harness.admin.delete(namespaces, { name: namespace });
  await eventually("the relay is gone", async () =>
    (await harness.admin.get(relayResource, { namespace, name: "relay" })) === undefined ? true : undefined,
  );
  await harness.admin.mergePatch(configMaps, { namespace, name: "held" }, { metadata: { finalizers: null } });
  await eventually("the namespace is gone", async () =>
    (await harness.admin.get(namespaces, { name: namespace })) === undefined ? true : undefined,
  );
  const refused = (await auditedCalls(harness.plane.auditLog)).filter(
    (call) => call.user === operatorUser && call.code === 403 && call.uri.includes(`/namespaces/${namespace}/`),
  );
  assert.ok(refused.length <= 12, `${refused.length} refused writes`);
});
