import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KubeArmorRelay } from "../../api/types.gen.ts";
import { relayOf } from "../../testing/samples.ts";
import { podTemplate } from "../pod-template.ts";
import { objectLabels, selectorLabels } from "../names.ts";
import { type Fields, isFields } from "./fields.ts";
import { itemKey } from "./item-key.ts";
import { merge } from "./merge.ts";
import { finalTemplate, templateOverrides } from "./overlay.ts";
import { templateProblems } from "./problems.ts";
import { type Shape, fieldShape, templateShape } from "./shape.ts";

const options = { defaultImage: "registry/relay:default" };

const names = fc.constantFrom("kubearmor-relay-server", "settings", "POD_NAME", "a", "b");
const vocabulary = `
  name image args value valueFrom configMap emptyDir livenessProbe httpGet exec grpc env ports volumeMounts containerPort
  protocol mountPath labels kubearmor-app $patch containers initContainers volumes tolerations topologySpreadConstraints
  topologyKey toString`;
const field = fc.constantFrom(...vocabulary.trim().split(/\s+/));

/** Whatever JSON, in the vocabulary of pod templates. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom(null, "", "TCP", "/etc/kubearmor-relay", "delete", 32767, true),
    names,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(field, tie("json"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

const item = fc.record(
  {
    name: names,
    mountPath: fc.constantFrom("/etc/kubearmor-relay", "/b"),
    containerPort: fc.constantFrom(32767, 1),
    protocol: fc.constantFrom("TCP", "UDP"),
    topologyKey: names,
    whenUnsatisfiable: names,
    image: json,
    value: json,
    valueFrom: json,
    livenessProbe: json,
    $patch: fc.constantFrom("delete", "replace"),
  },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const items = fc.oneof(fc.array(item, { maxLength: 4 }), json);
const container = fc.record(
  { name: names, env: items, ports: items, volumeMounts: items, livenessProbe: json },
  { requiredKeys: ["name"], noNullPrototype: true },
);
const containers = fc.oneof(fc.array(container, { maxLength: 4 }), json);

/** From what is right to what nobody would write. */
const anyTemplate = fc.oneof(
  fc.record(
    {
      metadata: json,
      spec: fc.record(
        {
          containers,
          initContainers: containers,
          volumes: items,
          topologySpreadConstraints: items,
          securityContext: json,
        },
        { requiredKeys: [], noNullPrototype: true },
      ),
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
  json,
);

function relayWith(template: unknown) {
  return relayOf({ replicas: 2, podTemplate: template as NonNullable<KubeArmorRelay["spec"]["podTemplate"]> });
}

function relayWithImage(image: string) {
  return relayWith({ spec: { containers: [{ name: "kubearmor-relay-server", image }] } });
}

const ours = podTemplate(relayOf({ replicas: 2 }), options);

function keysOf(list: unknown, shape: Shape): readonly (string | undefined)[] {
  return Array.isArray(list) ? list.map((each: unknown) => itemKey(each, shape)) : [];
}

/** Every list with keys has each key once, all the way down. */
function assertUniqueKeys(value: unknown, shape: Shape): void {
  if (shape.keys !== undefined) {
    const keys = keysOf(value, shape);
    assert.ok(!keys.includes(undefined), "an item has no key");
    assert.equal(new Set(keys).size, keys.length, `${keys.join()} is not unique`);
    for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [])
      assertUniqueKeys(each, shape.item ?? {});
  } else if (isFields(value)) {
    for (const [name, child] of Object.entries(value)) assertUniqueKeys(child, fieldShape(shape, name));
  }
}

test("merge() of nothing, and of what is there already, changes nothing", () => {
  for (const theirs of [{}, undefined, null, { metadata: {}, spec: {} }, ours])
    assert.deepEqual(merge(ours, theirs, templateShape), { value: ours, overridden: [] });
});

test("merge() twice is merge() once", () => {
  fc.assert(
    fc.property(anyTemplate, (theirs) => {
      const { value } = merge(ours, theirs, templateShape);
      const again = merge(value, theirs, templateShape);
      assert.deepEqual(again.value, value);
    }),
    { numRuns: 500 },
  );
});

test("merge() changes neither of its arguments", () => {
  fc.assert(
    fc.property(anyTemplate, (theirs) => {
      const before = structuredClone([ours, theirs]);
      merge(ours, theirs, templateShape);
      assert.deepEqual([ours, theirs], before);
    }),
  );
});

test("merge() yields no key twice, whatever it is given", () => {
  fc.assert(
    fc.property(anyTemplate, (theirs) => assertUniqueKeys(merge(ours, theirs, templateShape).value, templateShape)),
    { numRuns: 500 },
  );
});

test("merge() names an override exactly when something of ours is not as it was", () => {
  fc.assert(
    fc.property(anyTemplate, (theirs) => {
      const { value, overridden } = merge(ours, theirs, templateShape);
      assert.equal(overridden.length === 0, isWithin(ours, value, templateShape), overridden.join());
    }),
    { numRuns: 500 },
  );
});

/** All of `part` is in `whole` as it is. */
function isWithin(part: unknown, whole: unknown, shape: Shape): boolean {
  if (shape.keys !== undefined && Array.isArray(part) && Array.isArray(whole)) {
    const found = new Map(whole.map((each: unknown) => [itemKey(each, shape), each]));
    return part.every((each: unknown) => isWithin(each, found.get(itemKey(each, shape)), shape.item ?? {}));
  }
  if (isFields(part) && isFields(whole))
    return Object.entries(part).every(([name, child]) => isWithin(child, whole[name], fieldShape(shape, name)));
  return JSON.stringify(part) === JSON.stringify(whole);
}

test("finalTemplate() never loses a label of the selector or of the operator", () => {
  const own = { ...objectLabels(relayOf()), ...selectorLabels(relayOf()) };
  fc.assert(
    fc.property(anyTemplate, (template) => {
      const { metadata } = finalTemplate(relayWith(template), options) as { readonly metadata: Fields };
      const labels = metadata["labels"] as Fields;
      for (const [key, value] of Object.entries(own)) assert.equal(labels[key], value);
    }),
  );
});

test("finalTemplate(): labels of the selector and of the operator are not overridden, and others are added", () => {
  const own = { ...objectLabels(relayOf()), ...selectorLabels(relayOf()) };
  const theirs = Object.fromEntries(Object.keys(own).map((key) => [key, "theirs"]));
  const { metadata } = finalTemplate(relayWith({ metadata: { labels: { ...theirs, team: "a" } } }), options);
  assert.deepEqual(metadata, { labels: { ...own, team: "a" } });
});

test("finalTemplate() keeps the relay's container when nothing is wrong with what is given", () => {
  fc.assert(
    fc.property(anyTemplate, (template) => {
      const relay = relayWith(template);
      fc.pre(templateProblems(relay).length === 0);
      const { spec } = finalTemplate(relay, options) as { readonly spec: { readonly containers: readonly Fields[] } };
      assert.equal(spec.containers[0]?.["name"], "kubearmor-relay-server");
    }),
  );
});

test("templateOverrides() tells what is not the operator's any more; the image it would take anyway is no override", () => {
  assert.deepEqual(templateOverrides(relayOf()), []);
  assert.deepEqual(templateOverrides(relayWithImage("other"), options), [
    ".spec.containers[kubearmor-relay-server].image",
  ]);
  assert.deepEqual(templateOverrides(relayWithImage(options.defaultImage), options), []);
});
