import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { isConflict, isInvalid, isNotFound } from "../../lib/kube/errors.ts";
import { configMaps, deployments, services } from "../../lib/kube/resources.ts";
import type { KubeClient, ObjectName, Resource } from "../../lib/kube/types.ts";
import type { Random } from "../../lib/process/clock.ts";
import { parseRelay, relayResource } from "../../operator/api/relay.ts";
import { diff } from "../../operator/commands/diff.ts";
import { auditedCalls, isWriteOfObject } from "./operator-audit.ts";
import type { Fault, FaultProxy } from "./operator-fault-proxy.ts";
import { type Harness, eventually } from "./operator-harness.ts";

/** https://en.wikipedia.org/wiki/Linear_congruential_generator: the same walk for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const faults: readonly Fault[] = [
  { kind: "answer", code: 500 },
  { kind: "answer", code: 503 },
  { kind: "answer", code: 429, retryAfterSeconds: 1 },
  { kind: "reset" },
  { kind: "lost-answer" },
  { kind: "late", ms: 200 },
  { kind: "slow" },
  { kind: "cut", afterBytes: 500 },
];

/** This share of all requests goes wrong, each in one of many ways. */
export function randomFaults(share: number, random: Random): FaultProxy["fault"] {
  return () => (random() < share ? pick(faults, random) : undefined);
}

export interface WalkDeps {
  readonly harness: Pick<Harness, "admin" | "createRelay">;
  readonly random: Random;
}

/** One random thing that people and other controllers do to a relay and its objects. */
export async function walkStep({ namespace = "", name }: ObjectName, { harness, random }: WalkDeps): Promise<void> {
  const { admin } = harness;
  const edit = (resource: Resource, of: string, patch: object) =>
    admin.mergePatch(resource, { namespace, name: of }, patch);
  const steps: readonly (() => Promise<unknown>)[] = [
    () => edit(relayResource, name, { spec: { stdout: { logs: random() < 0.5 } } }),
    () => edit(relayResource, name, { spec: { replicas: Math.floor(random() * 4) } }),
    () => edit(relayResource, name, { spec: { networkPolicy: { enabled: random() < 0.5 } } }),
    () => edit(relayResource, name, { spec: { service: { name: `svc-${name}${pick(["", "-x"], random)}` } } }),
    () => edit(relayResource, name, { spec: { podLabels: { walk: pick(["1", "2"], random) } } }),
    () => edit(configMaps, name, { data: { ENABLE_STDOUT_LOGS: pick(["true", "maybe"], random) } }),
    () => edit(deployments, name, { spec: { replicas: 5, paused: true } }),
    () => edit(services, `svc-${name}`, { spec: { selector: { stolen: "yes" } } }),
    () => edit(configMaps, name, { metadata: { labels: null } }),
    () =>
      admin.delete(pick([configMaps, deployments], random), { namespace, name }, { propagationPolicy: "Background" }),
    () => admin.delete(services, { namespace, name: `svc-${name}` }),
    async () => {
      await admin.delete(relayResource, { namespace, name }, { propagationPolicy: "Background" });
      await eventually("it is gone", async () => {
        const there = await admin.get(relayResource, { namespace, name });
        return there === undefined ? true : undefined;
      });
      await createWalked({ namespace, name }, harness);
    },
  ];
  try {
    await pick(steps, random)();
  } catch (error) {
    // What is being made anew cannot be edited, which is as good a step as any.
    if (!isNotFound(error) && !isConflict(error) && !isInvalid(error)) throw error;
  }
}

/** A relay to walk on. */
export async function createWalked(
  { namespace = "", name }: ObjectName,
  harness: Pick<Harness, "createRelay">,
): Promise<void> {
  await harness.createRelay(namespace, name, { service: { name: `svc-${name}` } });
}

/** The live objects are as the live relay wants them. */
export async function untilAsDesired(admin: KubeClient, name: ObjectName, defaultImage: string): Promise<void> {
  await eventually(`the objects of ${name.namespace}/${name.name} are as desired`, async () => {
    const relay = await admin.get(relayResource, name);
    assert.ok(relay);
    const lines = await diff(parseRelay(relay), { defaultImage }, admin, new AbortController().signal);
    return lines.length === 0 ? true : undefined;
  });
}

/** No object is written for three seconds on end. */
export async function untilSilent(auditLog: string, user: string): Promise<void> {
  const count = async () =>
    (await auditedCalls(auditLog)).filter((call) => call.user === user && isWriteOfObject(call)).length;
  await eventually("nothing is written for three seconds", async () => {
    const earlier = await count();
    await pause(3_000);
    return (await count()) === earlier ? true : undefined;
  });
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)] as T;
}
