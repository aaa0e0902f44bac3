import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamespaceState } from "./discovery/watch-agent-pods.ts";
import { type Discovery, notReady, type Phase, seesAgents } from "./readiness.ts";

const synced: NamespaceState = { namespace: "a", state: { kind: "synced" }, failingSinceMs: undefined };
const starting: NamespaceState = { namespace: "b", state: { kind: "starting" }, failingSinceMs: undefined };
const forbidden: NamespaceState = {
  namespace: undefined,
  state: { kind: "failing", reason: "forbidden", error: new Error("pods is forbidden") },
  failingSinceMs: 0,
};

interface Case {
  readonly phase?: Phase;
  readonly discovery?: Discovery;
  readonly reasons: readonly string[];
  readonly sees: boolean;
}

const cases: Readonly<Record<string, Case>> = {
  "it serves, and looks for no agents": { reasons: [], sees: true },
  "it is starting": { phase: "starting", reasons: ["starting"], sees: true },
  "agents have not been listed everywhere": {
    discovery: { states: [synced, starting], wasListed: false },
    reasons: ["discovery: agents in namespace b are not listed yet"],
    sees: false,
  },
  "agents may not be listed, and never could": {
    discovery: { states: [forbidden], wasListed: false },
    reasons: ["discovery: agents in all namespaces cannot be watched (forbidden): pods is forbidden"],
    sees: false,
  },
  "agents cannot be watched any more": {
    discovery: { states: [forbidden], wasListed: true },
    reasons: [],
    sees: false,
  },
  "agents are looked for in a new place, too": {
    discovery: { states: [synced, starting], wasListed: true },
    reasons: [],
    sees: false,
  },
  "it drains while agents cannot be watched": {
    phase: "draining",
    discovery: { states: [forbidden], wasListed: true },
    reasons: ["draining"],
    sees: false,
  },
};

for (const [sentence, { phase = "serving", discovery, reasons, sees }] of Object.entries(cases)) {
  test(`notReady(), seesAgents(): ${sentence}`, () => {
    assert.deepEqual(notReady(phase, discovery), reasons);
    assert.equal(seesAgents(discovery), sees);
  });
}
