import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../../relay/wire/frame-cutter.ts";
import { type RawAgent, startRawAgent } from "./raw-agent.ts";
import { frameType } from "./raw-http2.ts";
import { waitUntil } from "./relay-harness.ts";
import { startRelayProcess } from "./relay-process.ts";

const agentCount = 1_000;
/** As many as the relay dials at a time, and as many again for a machine so slow that dials lose their slots. */
const mostDials = 2 * 64;
const event = encodeFrame(Buffer.from([0x0a, 1, 0x61]));

test("A relay that starts with 1,000 agents dials each once, in step, and gets an event of each", {
  timeout: 120_000,
}, async (t) => {
  let dialling = 0;
  let mostAtOnce = 0;
  await using stack = new AsyncDisposableStack();
  const agents: RawAgent[] = [];
  for (let count = 0; count < agentCount; count += 1) {
    const agent = await startRawAgent({
      onConnection: ({ ready }) => {
        dialling += 1;
        mostAtOnce = Math.max(mostAtOnce, dialling);
        void ready.then(() => {
          dialling -= 1;
        });
      },
    });
    agents.push(stack.use(agent));
  }

  const startedMs = performance.now();
  await using relay = await startRelayProcess({
    flags: [`--agents=${agents.map(({ address }) => address).join(",")}`],
  });
  const listeningMs = performance.now();
  await waitUntil(() => agents.every(({ connections }) => connections.length > 0) && dialling === 0);
  const connectedMs = performance.now();
  for (const agent of agents) {
    const { wire, streams } = await agent.connection();
    wire.data(streams.get("alerts") ?? assert.fail("No stream"), event);
  }
  const { nodes } = await relay.statusWhen(({ feeds }) => feeds.alerts.received === agentCount);
  const eventsMs = performance.now();
  assert.equal(nodes.filter(({ state }) => state.kind === "connected").length, agentCount);
  assert.deepEqual(
    agents.filter(({ connections }) => connections.length !== 1),
    [],
    "one connection each",
  );
  assert.ok(mostAtOnce <= mostDials, `${mostAtOnce} dials at once`);
  const pings = agents.flatMap(({ connections }) => connections.flatMap(({ wire }) => wire.frames.filter(isPing)));
  assert.deepEqual(pings, [], "agents punish pings");
  const metrics = await (await fetch(`http://127.0.0.1:${relay.httpPort}/metrics`)).text();
  const bytes = /^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1];
  t.diagnostic(
    `listening after ${Math.round(listeningMs - startedMs)} ms, all connected ${Math.round(connectedMs - listeningMs)} ms later, ` +
      `an event of each ${Math.round(eventsMs - connectedMs)} ms later; ${mostAtOnce} dials at once; ${Math.round(Number(bytes) / 2 ** 20)} MiB`,
  );
});

function isPing({ type, flags }: { readonly type: number; readonly flags: number }): boolean {
  return type === frameType.ping && flags === 0;
}
