import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeArmorRelay } from "../api/types.gen.ts";
import { relayOf } from "../testing/samples.ts";
import { type Reach, beyondReach } from "./reach.ts";

type Spec = KubeArmorRelay["spec"];

const alone = { enrichment: { remoteHost: false } };
const cases: Readonly<Record<string, readonly [spec: Spec, reach: Reach, fields: readonly string[]]>> = {
  "anything, with rights in the cluster": [{}, undefined, []],
  "the defaults need the cluster": [{}, ["a"], ["spec.agents.namespaces", "spec.enrichment.remoteHost"]],
  "agents in namespaces that are watched": [{ ...alone, agents: { namespaces: ["b", "a"] } }, ["a", "b"], []],
  "agents in one that is not": [{ ...alone, agents: { namespaces: ["c", "a"] } }, ["a"], ["spec.agents.namespaces"]],
  "names of peers": [{ agents: { namespaces: ["a"] } }, ["a"], ["spec.enrichment.remoteHost"]],
};

for (const [sentence, [spec, reach, fields]] of Object.entries(cases)) {
  test(`beyondReach(): ${sentence}`, () => {
    const found = beyondReach(relayOf(spec), reach);
    assert.deepEqual(
      found.map((text) => text.slice(0, text.indexOf(":"))),
      fields,
    );
  });
}

test("beyondReach() names the namespaces that are too many, and those that there are", () => {
  const spec = { ...alone, agents: { namespaces: ["d", "c", "a"] } };
  const [text] = beyondReach(relayOf(spec), ["a", "b"]);
  assert.match(text ?? "", /take out c, d, because the operator has rights in a, b only/);
});
