import assert from "node:assert/strict";
import { test } from "node:test";
import { deployments } from "../../lib/kube/resources.ts";
import type { KubeObject, ObjectMeta } from "../../lib/kube/types.ts";
import { deployment } from "../desired/deployment.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import { adoptAnnotation, fitted, keepsItsFields, refusalOf, wantsAdoption } from "./adoption.ts";
import type { LabelSelector } from "./adoption-selector.ts";

const relay = relayOf({ podLabels: { tier: "mine" } });
const desired = deployment(relay, { defaultImage: "relay" });
const theirs: LabelSelector = { matchLabels: { "kubearmor-app": "kubearmor-relay" } };

function liveOf(metadata: Partial<ObjectMeta> = {}, selector: LabelSelector = theirs): KubeObject {
  const { object } = desired;
  const named = { namespace: "kubearmor", name: "kubearmor-relay" };
  return { ...object, metadata: { ...named, ...metadata }, spec: { ...(object["spec"] as object), selector } };
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
  "somebody owns it who does not control it": [liveOf(owner("ConfigMap", "c", false)), undefined],
  "somebody else controls it": [liveOf(owner("Tower", "t", true)), /^Tower t controls it$/],
  "it is in another namespace": [liveOf({ namespace: "other" }), /own namespace/],
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
    const found = refusalOf(live, desired, relay);
    if (refusal === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", refusal);
  });
}

test("refusalOf() asks for no selector but a Deployment's", () => {
  assert.equal(refusalOf(liveOf({}, { matchLabels: { "kubearmor-app": "x" } }), service(relay), relay), undefined);
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
