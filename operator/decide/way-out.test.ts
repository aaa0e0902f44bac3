import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject, ObjectMeta } from "../../lib/kube/types.ts";
import { deployments } from "../../lib/kube/resources.ts";
import { service } from "../desired/service.ts";
import { relayOf } from "../testing/samples.ts";
import type { ForeignObject, Plan } from "./plan.ts";
import { fightText, obstacleOf, postponed, wayOut } from "./way-out.ts";

function objectOf(metadata: Partial<ObjectMeta>): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "kubearmor-relay", ...metadata } };
}

const plain = objectOf({});
const ofHelm = objectOf({ annotations: { "meta.helm.sh/release-name": "armor" } });
const ofOperator = objectOf({
  ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "kubearmor-operator", uid: "o" }],
});

const cases: Readonly<Record<string, readonly [objects: readonly KubeObject[], reason: string, text: RegExp]>> = {
  "KubeArmorOperator's, whoever else is in the way": [[plain, ofHelm, ofOperator], "Conflict", /scale its Deployment/],
  "a Helm release's": [[plain, ofHelm], "NameConflict", /release armor: set kubearmorRelay\.enabled=false/],
  "anybody's": [[plain], "NameConflict", /Remove it/],
};

function inTheWay(object: KubeObject, refusal?: string): ForeignObject {
  return { resource: deployments, object, refusal };
}

for (const [sentence, [objects, reason, text]] of Object.entries(cases)) {
  test(`wayOut() of what is ${sentence}`, () => {
    const found = wayOut(objects.map((object) => inTheWay(object)));
    assert.equal(found.reason, reason);
    assert.match(found.text, text);
  });
}

test("wayOut() offers to take over what can be taken over, and says why not otherwise", () => {
  assert.match(wayOut([inTheWay(ofHelm)]).text, /^Annotate this relay with operator\.kubearmor\.com\/adopt=true /);
  const { text } = wayOut([inTheWay(plain), inTheWay(ofHelm, "a Tower controls it")]);
  assert.match(
    text,
    /^It cannot be taken over \(Deployment kubearmor-relay: a Tower controls it\)\. It is of the Helm/,
  );
});

const fights: Readonly<Record<string, readonly [by: string, path: string, text: RegExp]>> = {
  "an autoscaler's": ["kube-controller-manager", ".spec.replicas", /point the HorizontalPodAutoscaler at the Kube/],
  "another controller's": ["kube-controller-manager", ".spec.paused", /by kube-controller-manager$/],
  "KubeArmorOperator's": ["operator", ".spec.template", /scale its Deployment kubearmor-operator to 0\)$/],
};

for (const [sentence, [by, path, text]] of Object.entries(fights)) {
  test(`fightText() of a fight that is ${sentence}`, () => {
    assert.match(fightText("Deployment d", { kind: "written", by, paths: [path] }), text);
  });
}

const relay = relayOf();
const wanted = service(relay);
const live = { resource: deployments, object: plain };
const none: Plan = { writes: [], deletes: [], foreign: [], adoptLater: [], leaving: [], claimed: [], isRunning: false };

const obstacles: Readonly<Record<string, readonly [Partial<Plan>, reason: string | undefined, message: RegExp]>> = {
  nothing: [{ adoptLater: [live] }, undefined, /^$/],
  "what is going": [{ leaving: [live] }, "AwaitingDeletion", /^Being deleted, /],
  "an older relay, before what is going": [
    { leaving: [live], claimed: [{ desired: wanted, by: relay }] },
    "NameConflict",
    /^Not written, because relay kubearmor-relay is older /,
  ],
  "what is somebody else's, before all else": [
    { leaving: [live], claimed: [{ desired: wanted, by: relay }], foreign: [inTheWay(ofOperator)] },
    "Conflict",
    /belongs to somebody else: Deployment kubearmor-relay\. /,
  ],
};

for (const [sentence, [plan, reason, message]] of Object.entries(obstacles)) {
  test(`obstacleOf() names ${sentence}`, () => {
    const found = obstacleOf({ ...none, ...plan });
    assert.equal(found?.kind, reason === undefined ? undefined : "blocked");
    assert.equal(found?.kind === "blocked" ? found.reason : undefined, reason);
    assert.match(found?.kind === "blocked" ? found.message : "", message);
  });
}

test("postponed() names what is taken over later", () => {
  assert.equal(postponed(none), undefined);
  const found = postponed({ ...none, adoptLater: [live] });
  assert.ok(found?.kind === "failed");
  assert.match(found.message, /: Deployment kubearmor-relay$/);
});
