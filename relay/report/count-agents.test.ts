import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FeedId } from "../feeds.ts";
import { type ConnectedNode, countAgents } from "./count-agents.ts";

const open = { isOpen: true, isRefused: false };
const closed = { isOpen: false, isRefused: false };
const refused = { isOpen: false, isRefused: true };

function node(streams: Partial<Record<FeedId, typeof open>>, kind = "connected"): ConnectedNode {
  return {
    state: { kind },
    counts: new Map(
      Object.entries({ alerts: open, logs: open, messages: open, ...streams }) as [FeedId, typeof open][],
    ),
  };
}

describe("countAgents()", () => {
  const cases: Record<string, { node: ConnectedNode; connected: number }> = {
    "counts an agent with all streams open": { node: node({}), connected: 1 },
    "counts an agent that serves no messages": { node: node({ messages: refused }), connected: 1 },
    "does not count one whose messages broke off": { node: node({ messages: closed }), connected: 0 },
    "does not count one that serves no alerts": { node: node({ alerts: refused }), connected: 0 },
    "does not count one whose logs are not open": { node: node({ logs: closed }), connected: 0 },
    "does not count one that is not connected": { node: node({}, "waiting"), connected: 0 },
  };
  for (const [sentence, { node: one, connected }] of Object.entries(cases)) {
    it(sentence, () => assert.deepEqual(countAgents([one]), { seen: 1, connected }));
  }
});
