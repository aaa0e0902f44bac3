import assert from "node:assert/strict";
import { test } from "node:test";
import { deployments } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectMeta } from "../../lib/kube/types.ts";
import { deployment } from "../desired/deployment.ts";
import { desiredObjects } from "../desired/objects.ts";
import { serviceAccount } from "../desired/service-account.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { adoptAnnotation, fitted, keepsItsFields, refusalOf, wantsAdoption } from "./adoption.ts";
import type { LabelSelector } from "./adoption-selector.ts";

const relay = relayOf({ podLabels: { tier: "mine" } });
const options = { defaultImage: "relay" };
const desired = deployment(relay, options);
const theirs: LabelSelector = { matchLabels: { "kubearmor-app": "kubearmor-relay" } };

function liveOf(metadata: Partial<ObjectMeta> = {}, selector: LabelSelector = theirs): KubeObject {
  const { object } = desired;
  const named = { namespace: "kubearmor", name: "kubearmor-relay" };
  return { ...object, metadata: { ...named, ...metadata }, spec: { ...(object["spec"] as object), selector } };
}

function withPods(live: KubeObject, labels: object, serviceAccountName = "kubearmor-relay"): KubeObject {
  const template = { metadata: { labels }, spec: { serviceAccountName } };
  return { ...live, spec: { ...(live["spec"] as object), template } };
}

const owner = (kind: string, name: string, controller: boolean) => ({
  ownerReferences: [{ apiVersion: "v1", kind, name, uid: "o", controller }],
});
const expression = (key: string, operator: string, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
});

const cases: Readonly<Record<string, readonly [live: KubeObject, refusal: RegExp | undefined]>> = {
  "nobody owns it": [liveOf(), undefined],
  "KubeArmorOperator controls it": [liveOf(owner("Deployment", "kubearmor-operator", true)), undefined],
  "KubeArmorOperator owns it": [liveOf(owner("Deployment", "kubearmor-operator", false)), undefined],
  "what only has KubeArmorOperator's name controls it": [
    liveOf(owner("ConfigMap", "kubearmor-operator", true)),
    /^ConfigMap kubearmor-operator controls it$/,
  ],
  "this relay owns it, and does not control it": [
    liveOf({ ownerReferences: [{ apiVersion: "v1", kind: "KubeArmorRelay", name: "kubearmor-relay", uid: "uid-1" }] }),
    undefined,
  ],
  "somebody owns it who does not control it": [liveOf(owner("ConfigMap", "c", false)), /^ConfigMap c owns it$/],
  "somebody else controls it": [liveOf(owner("Tower", "t", true)), /^Tower t controls it$/],
  "its pods are anything": [withPods(liveOf({}, { matchLabels: { app: "web" } }), { app: "web" }), /no relay's$/],
  "it is another relay's": [
    liveOf({ labels: { "operator.kubearmor.com/relay": "other" } }),
    /^it is of KubeArmorRelay other$/,
  ],
  "it was this relay's": [liveOf({ labels: { "operator.kubearmor.com/relay": "kubearmor-relay" } }), undefined],
  "its selector asks for a label of its own": [liveOf({}, { matchLabels: { tier: "theirs", a: "b" } }), undefined],
  "its selector asks for another value of a label that ours asks for": [
    liveOf({}, { matchLabels: { "operator.kubearmor.com/relay": "x" } }),
    /asks for operator\.kubearmor\.com\/relay=x$/,
  ],
  "its selector has expressions that our pods meet": [
    liveOf({}, expression("kubearmor-app", "In", "a", "kubearmor-relay")),
    undefined,
  ],
  "its selector has an expression that our pods do not meet": [
    liveOf({}, expression("kubearmor-app", "NotIn", "kubearmor-relay")),
    /asks for kubearmor-app notin \(kubearmor-relay\)$/,
  ],
};

for (const [sentence, [live, refusal]] of Object.entries(cases)) {
  test(`refusalOf() when ${sentence}`, () => {
    const found = refusalOf(live, desired, relay, live);
    if (refusal === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", refusal);
  });
}

const leading = (selector?: object) => ({ ...service(relay).object, metadata: { name: "s" }, spec: { selector } });

const addresses: Readonly<Record<string, readonly [live: KubeObject, refusal: string | undefined]>> = {
  "a relay": [leading({ "kubearmor-app": "kubearmor-relay", a: "b" }), undefined],
  "anything else": [leading({ app: "postgres" }), "it does not lead to a relay's pods"],
  "what somebody writes by hand": [leading(), "it does not lead to a relay's pods"],
};

for (const [sentence, [live, refusal]] of Object.entries(addresses)) {
  test(`refusalOf() of a Service that leads to ${sentence}`, () => {
    assert.equal(refusalOf(live, service(relay), relay, undefined), refusal);
  });
}

const relayPods = { "kubearmor-app": "kubearmor-relay" };
const accountRefusal = "no relay that could be taken over runs under it";

const accounts: Readonly<Record<string, readonly [beside: KubeObject | undefined, refusal: string | undefined]>> = {
  "a relay of somebody else runs": [withPods(liveOf(), relayPods), undefined],
  "a relay of somebody else's could run, but has another one": [withPods(liveOf(), relayPods, "x"), accountRefusal],
  "anything else runs": [withPods(liveOf(), { app: "web" }), accountRefusal],
  "nothing runs": [undefined, accountRefusal],
  "a Deployment runs that was ours from the start": [desired.object, accountRefusal],
};

for (const [sentence, [beside, refusal]] of Object.entries(accounts)) {
  test(`refusalOf() of a ServiceAccount under which ${sentence}`, () => {
    const { object } = serviceAccount(relay);
    const live = { ...object, metadata: { namespace: "kubearmor", name: "kubearmor-relay" } };
    assert.equal(refusalOf(live, serviceAccount(relay), relay, beside), refusal);
  });
}

test("refusalOf() of the ServiceAccount that pods without one run under", () => {
  const { metadata } = relay;
  const named = relayOf({}, { metadata: { ...metadata, name: "default" } });
  const live = { ...serviceAccount(named).object, metadata: { namespace: "kubearmor", name: "default" } };
  const beside = withPods(liveOf(), relayPods, "default");
  assert.equal(refusalOf(live, serviceAccount(named), named, beside), accountRefusal);
});

test("refusalOf() of every other kind", () => {
  for (const other of desiredObjects(relayOf({ replicas: 2, networkPolicy: { enabled: true } }), options)) {
    const { resource, object } = other;
    if (["Deployment", "Service", "ServiceAccount"].includes(resource.kind)) continue;
    const { name, namespace } = object.metadata;
    const live = { ...object, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
    const refusal = "only a Deployment, a Service and a ServiceAccount can be";
    assert.equal(refusalOf(live, other, relay, withPods(liveOf(), relayPods)), refusal, resource.kind);
  }
});

test("fitted() keeps the selector of a Deployment that is there, and gives pods the labels that it asks for besides ours", () => {
  const selector = { matchLabels: { tier: "theirs" }, ...expression("a", "DoesNotExist") };
  const { resource, object } = fitted(desired, liveOf({}, selector));
  assert.equal(resource, deployments);
  const spec = object["spec"] as { selector: unknown; template: { metadata: { labels: object }; spec: unknown } };
  assert.deepEqual(spec.selector, selector);
  const wanted = desired.object["spec"] as typeof spec;
  assert.deepEqual(spec.template.metadata.labels, { ...wanted.template.metadata.labels, tier: "theirs" });
  assert.deepEqual(spec.template.spec, wanted.template.spec);
});

test("fitted() changes nothing of a Deployment of ours, of one that is not there, and of other kinds", () => {
  assert.deepEqual(fitted(desired, desired.object), desired);
  assert.equal(fitted(desired, undefined), desired);
  const address = service(relay);
  assert.equal(fitted(address, liveOf()), address);
});

function ask(value: string): boolean {
  return wantsAdoption({ metadata: { name: "r", annotations: { [adoptAnnotation]: value } } });
}

test("wantsAdoption(): only what is literally true", () => {
  assert.deepEqual(["true", "false", "", "True"].map(ask), [true, false, false, false]);
  assert.equal(wantsAdoption({ metadata: { name: "r" } }), false);
});

test("keepsItsFields(): controllers of the cluster and of clouds, nobody else", () => {
  const managers = ["kube-controller-manager", "cloud-controller-manager", "operator", "helm", ""];
  assert.deepEqual(managers.map(keepsItsFields), [true, true, false, false, false]);
});
