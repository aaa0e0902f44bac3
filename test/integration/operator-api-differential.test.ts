import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { ApiError } from "../../lib/kube/errors.ts";
import { Transport } from "../../lib/kube/transport.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { apiVersion, parseRelay, relayKind } from "../../operator/api/relay.ts";
import { relaySchema } from "../../operator/api/schema.gen.ts";
import type { SchemaNode } from "../../operator/api/schema.ts";
import { dense, mutated, sparse, valueOf } from "./operator-api-arbitrary.ts";
import { contradictions } from "./operator-api-contradictions.ts";
import { changeProblems } from "./operator-api-changes.ts";

/** Another one for every run; a number given here repeats one. */
const seed = Number(process.env["API_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const createRuns = 2_400;
const changeRuns = 500;
const parallel = 12;

const path = `/apis/${apiVersion}/namespaces/default/kubearmorrelays`;
const ruleMessages = new Set(messagesOf(relaySchema));
const specSchema = childOf(relaySchema, "spec");

let plane: ControlPlane;
let transport: Transport;

before(async () => {
  plane = await startControlPlane({ crds: [join(import.meta.dirname, "../../crds/kubearmorrelays.yaml")] });
  const deps = { log: silentLog, userAgent: "test/0", clock: systemClock, random: Math.random };
  transport = new Transport(loadCluster({ kubeconfig: plane.kubeconfig }), deps);
});

after(async () => {
  await transport[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

function messagesOf(node: SchemaNode): readonly string[] {
  const below = [...Object.values(node.properties ?? {}), node.items, node.values];
  const own = (node.rules ?? []).map(({ message }) => message);
  return [...own, ...below.flatMap((child) => (child === undefined ? [] : messagesOf(child)))];
}

function childOf(node: SchemaNode, name: string): SchemaNode {
  const child = node.properties?.[name];
  assert.ok(child !== undefined, name);
  return child;
}

function relayWith(name: string, spec: unknown): KubeObject {
  return {
    apiVersion,
    kind: relayKind,
    metadata: { namespace: "default", name },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** What the server would store, or why it refuses. */
async function ask(method: "POST" | "PUT", query: string, object: KubeObject): Promise<KubeObject | string> {
  const at = method === "PUT" ? `${path}/${object.metadata.name}` : path;
  try {
    const answer = await transport.json({
      method,
      path: `${at}?${query}`,
      body: object,
      contentType: "application/json",
      idempotent: true,
      verb: "create",
      resource: "kubearmorrelays",
    });
    return answer as KubeObject;
  } catch (error) {
    // 400: fields that strict decoding does not know, or a body that is no relay at all.
    if (error instanceof ApiError && (error.code === 422 || error.code === 400)) return error.message;
    throw error;
  }
}

interface Case {
  readonly object: KubeObject;
  readonly query: string;
  readonly method: "POST" | "PUT";
  /** Of the change, beyond what is wrong with the object itself. */
  readonly changeProblems: readonly string[];
}

/** How the program judges otherwise than the server; undefined when it does not. */
function differenceOf({ object, changeProblems: broken }: Case, answer: KubeObject | string): string | undefined {
  const relay = parseRelay(object);
  const found = [...(relay.violations ?? []).map((each) => `${each.path}: ${each.message}`), ...broken];
  if (typeof answer === "string") {
    if (found.length === 0) return "The server refuses, the program does not";
    const ours = new Set((relay.violations ?? []).map(({ message }) => message));
    // Like the server, which evaluates no rule on what is wrong anyway.
    if ([...ours].some((message) => !ruleMessages.has(message))) return undefined;
    const other = [...ruleMessages].filter((message) => ours.has(message) !== answer.includes(message));
    return other.length === 0 ? undefined : `Only one of them refuses because of: ${other.join("; ")}`;
  }
  if (found.length > 0) return `The server accepts, the program does not: ${found.join("; ")}`;
  try {
    assert.deepEqual(relay.spec, answer["spec"]);
    return undefined;
  } catch (error) {
    return `Both accept, with different results: ${String(error)}`;
  }
}

interface Tally {
  accepted: number;
  refused: number;
}

async function judge(cases: readonly Case[]): Promise<Tally> {
  const tally: Tally = { accepted: 0, refused: 0 };
  const differences: string[] = [];
  const queue = cases.values();
  const work = async () => {
    for (const each of queue) {
      const answer = await ask(each.method, each.query, each.object);
      if (typeof answer === "string") tally.refused += 1;
      else tally.accepted += 1;
      const difference = differenceOf(each, answer);
      if (difference !== undefined)
        differences.push(
          `${difference}\n${JSON.stringify(each.object)}\nserver: ${typeof answer === "string" ? answer : JSON.stringify(answer["spec"])}`,
        );
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  assert.equal(
    differences.length,
    0,
    `seed ${seed}: ${differences.length} differences\n${differences.slice(0, 5).join("\n\n")}`,
  );
  return tally;
}

/** What a user changes of one relay, most of all where changes are restricted. */
const services = fc.record(
  {
    name: fc.constantFrom("kubearmor", "other"),
    type: fc.constantFrom("LoadBalancer", "LoadBalancer", "LoadBalancer", "NodePort", "ClusterIP"),
    loadBalancerClass: fc.constantFrom("example.com/a", "example.com/b"),
    ipFamilies: fc.constantFrom([], ["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"]),
    nodePort: fc.constantFrom(30_000, 30_001),
  },
  { requiredKeys: [] },
);

test("differential: the program's model of changes is that of the server", async (context) => {
  const [olds, news] = [1, 2].map((turn) =>
    fc.sample(services, { numRuns: changeRuns, seed: seed + turn }).map((service) => ({ service })),
  );
  const stored: KubeObject[] = [];
  for (const spec of olds ?? []) {
    const wanted = relayWith(`old-${stored.length}`, spec);
    if (stored.length < 20 && parseRelay(wanted).violations === undefined) {
      const answer = await ask("POST", "fieldValidation=Strict", wanted);
      assert.ok(typeof answer !== "string", `seed ${seed}: ${JSON.stringify(answer)}`);
      stored.push(answer);
    }
  }
  const cases = (news ?? []).flatMap((spec, index): readonly Case[] => {
    const old = stored[index % stored.length];
    if (old === undefined) return [];
    const object = { ...old, spec };
    return [
      {
        object,
        query: "dryRun=All",
        method: "PUT",
        changeProblems: changeProblems(parseRelay(object), parseRelay(old)),
      },
    ];
  });
  const { accepted, refused } = await judge(cases);
  const byChange = cases.filter(({ changeProblems: broken }) => broken.length > 0).length;
  context.diagnostic(`seed ${seed}: ${accepted} accepted, ${refused} refused, ${byChange} of them for the change`);
  assert.ok(accepted > changeRuns / 5 && byChange > changeRuns / 10, `${accepted} accepted, ${byChange} refused`);
});

test("differential: the program judges and defaults every new relay as the server does", async (context) => {
  const contradictory = fc.constantFrom(...Object.values(contradictions));
  const specs = fc.sample(mutated(fc.oneof(valueOf(specSchema, sparse), valueOf(specSchema, dense), contradictory)), {
    numRuns: createRuns,
    seed,
  });
  const cases = specs.map(({ value, hasUnknown }, index) => ({
    // Every now and then a name that cannot be a label.
    object: relayWith(index % 50 === 0 ? "a.b" : "relay", value),
    query: `dryRun=All&fieldValidation=${hasUnknown ? "Ignore" : "Strict"}`,
    method: "POST" as const,
    changeProblems: [],
  }));
  const { accepted, refused } = await judge(cases);
  context.diagnostic(`seed ${seed}: ${accepted} accepted, ${refused} refused`);
  assert.equal(accepted + refused, createRuns);
  // At least those of the contradictions that no mutation has hidden.
  const met = new Set(
    cases.flatMap(({ object }) => (parseRelay(object).violations ?? []).map(({ message }) => message)),
  );
  const unmet = [...ruleMessages].filter((message) => !met.has(message));
  assert.deepEqual(unmet, [], `seed ${seed}: no relay broke these rules`);
  assert.ok(accepted > createRuns / 5 && refused > createRuns / 5, `${accepted} accepted, ${refused} refused`);
});

for (const [message, spec] of Object.entries(contradictions)) {
  test(`differential: the program and the server refuse what breaks the rule: ${message}`, async () => {
    const object = relayWith("relay", spec);
    assert.deepEqual(
      parseRelay(object).violations?.map((violation) => violation.message),
      [message],
    );
    const answer = await ask("POST", "dryRun=All&fieldValidation=Strict", object);
    assert.ok(typeof answer === "string" && answer.includes(message), JSON.stringify(answer));
  });
}
