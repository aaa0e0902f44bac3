import assert from "node:assert/strict";
import { test } from "node:test";
import { type Agent, endpointText, parseEndpoint } from "./agent.ts";
import { chooseAgents } from "./choose-agents.ts";

const agent = (id: string, ...endpoints: string[]): Agent => ({
  id,
  name: id,
  endpoints: endpoints.map((text) => parseEndpoint(text) ?? assert.fail(text)),
});

const cases: Record<string, { given: Agent[]; chosen: string[] }> = {
  "agents on different addresses are all chosen": {
    given: [agent("a", "10.0.0.1:32767"), agent("b", "10.0.0.2:32767")],
    chosen: ["a", "b"],
  },
  "of two agents on one endpoint the first is chosen": {
    given: [agent("new", "10.0.0.1:32767"), agent("old", "10.0.0.1:32767")],
    chosen: ["new"],
  },
  "two ports of one address are two agents": {
    given: [agent("a", "10.0.0.1:32767"), agent("b", "10.0.0.1:40000")],
    chosen: ["a", "b"],
  },
  "one shared address of a dual-stack agent is enough to leave it out": {
    given: [agent("a", "10.0.0.1:32767", "[fd00::1]:32767"), agent("b", "[fd00::1]:32767")],
    chosen: ["a"],
  },
  "two spellings of one IPv6 address are one endpoint": {
    given: [agent("a", "[fd00::1]:32767"), agent("b", "[FD00:0:0::0001]:32767")],
    chosen: ["a"],
  },
  "an IPv4-mapped address is the IPv4 address": {
    given: [agent("a", "10.0.0.1:32767"), agent("b", "[::ffff:10.0.0.1]:32767"), agent("c", "[::ffff:a00:1]:32767")],
    chosen: ["a"],
  },
  "the case of a name does not matter": {
    given: [agent("a", "node-1.Example:32767"), agent("b", "NODE-1.example:32767")],
    chosen: ["a"],
  },
  "link-local addresses of two interfaces are two endpoints": {
    given: [agent("a", "[fe80::1%eth0]:32767"), agent("b", "[fe80::1%eth1]:32767")],
    chosen: ["a", "b"],
  },
  "an agent that two sources report is chosen once": {
    given: [agent("a", "10.0.0.1:32767"), agent("a", "10.0.0.9:32767")],
    chosen: ["a"],
  },
};
for (const [sentence, { given, chosen }] of Object.entries(cases)) {
  test(`chooseAgents(): ${sentence}`, () => {
    assert.deepEqual([...chooseAgents(given).keys()], chosen);
  });
}

test("endpointText() writes every spelling of an endpoint alike, whoever made it", () => {
  const spellings = {
    "[fd00::1]:1": ["fd00::1", "FD00:0000::0:1"],
    "10.0.0.1:1": ["10.0.0.1", "::ffff:10.0.0.1", "::FFFF:0a00:0001", "0:0:0:0:0:ffff:a00:1"],
    "[fe80::1%eth0]:1": ["fe80::1%eth0", "FE80:0::1%eth0"],
    "agent.example:1": ["agent.example", "Agent.EXAMPLE"],
  };
  for (const [text, hosts] of Object.entries(spellings)) {
    for (const host of hosts) assert.equal(endpointText({ host, port: 1 }), text, host);
  }
});

test("parseEndpoint() reads what endpointText() writes and refuses the rest", () => {
  for (const text of ["10.0.0.1:1", "[fd00::1]:32767", "agent.example:65535"]) {
    assert.equal(endpointText(parseEndpoint(text) ?? assert.fail(text)), text);
  }
  for (const text of ["", "host", "host:0", "host:65536", "fd00::1:32767", "http://a:1", "a b:1", ":1", "[]:1"]) {
    assert.equal(parseEndpoint(text), undefined, text);
  }
});
