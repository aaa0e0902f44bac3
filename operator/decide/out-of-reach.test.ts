import assert from "node:assert/strict";
import { test } from "node:test";
import { relayOf } from "../testing/samples.ts";
import { outOfReach } from "./out-of-reach.ts";
import type { Reach } from "./reach.ts";

const name = "kubearmor-relay:kubearmor:kubearmor-relay";
const noPeers = { remoteHost: false };
const reach = ["kubearmor", "a"];

const cases: Readonly<Record<string, readonly [Parameters<typeof relayOf>[0], Reach, readonly string[]]>> = {
  "with rights in the cluster nothing is": [{}, undefined, []],
  "of a relay that asks for the whole cluster its rights there": [
    {},
    reach,
    [`ClusterRole ${name}`, `ClusterRoleBinding ${name}`],
  ],
  "of one with agents elsewhere the roles there, and not those within": [
    { enrichment: noPeers, agents: { namespaces: ["kubearmor", "b", "a"] } },
    reach,
    [`Role ${name} in b`, `RoleBinding ${name} in b`],
  ],
  "of one that asks for no more than there is, nothing": [
    { enrichment: noPeers, agents: { namespaces: ["kubearmor", "a"] } },
    reach,
    [],
  ],
};

for (const [sentence, [spec, within, names]] of Object.entries(cases))
  test(`outOfReach(): ${sentence}`, () => assert.deepEqual(outOfReach(relayOf(spec), within), names));
