import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { encodeEvent, feedContracts, healthCheck, rawStream } from "../agents/contract.ts";
import { markPrefix, markText, nowMicros } from "../agents/mark.ts";
import { startChecker } from "./checker.ts";

/** A server that sends these bytes as alerts, then nothing, and answers health checks with `reply`. */
async function startScript(
  alerts: readonly Buffer[],
  reply: (nonce: number) => number,
): Promise<Disposable & { readonly address: string }> {
  const server = new Server();
  const { method } = feedContracts.alerts;
  server.addService(
    { [method]: rawStream("alerts"), HealthCheck: healthCheck },
    {
      [method]: (call: ServerWritableStream<object, Buffer>) => {
        for (const event of alerts) call.write(event);
      },
      HealthCheck: (call: { request: { nonce: number } }, answer: (error: null, value: object) => void) => {
        answer(null, { Retval: reply(call.request.nonce) });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}

function alert(number: number): Buffer {
  const Sim = markText(markPrefix("agent-0", "abc.1", "alerts"), number, nowMicros());
  return encodeEvent("alerts", { Type: "MatchedPolicy", EventData: { Sim } });
}

test("Checker finds loss, duplicates, disorder and garbage in what a server sends", async () => {
  const unmarked = encodeEvent("alerts", { Type: "MatchedPolicy" });
  const broken = Buffer.concat([alert(9), Buffer.from([0xff])]);
  const stream = [alert(1), alert(2), alert(2), alert(4), alert(3), alert(7), unmarked, broken];
  using server = await startScript(stream, (nonce) => nonce);
  await using checker = await startChecker(server.address, { feeds: ["alerts"] });
  await checker.untilEvents(6);
  await checker.untilGarbage(2);
  assert.partialDeepStrictEqual(checker.report(), {
    lost: 2,
    duplicates: 1,
    reordered: 1,
    garbage: 2,
    agents: 1,
    ended: [],
  });
});

test("Checker with decodeEvery reads every mark, and only some events in full", async () => {
  const broken = Buffer.concat([alert(2), Buffer.from([0xff])]);
  using server = await startScript([alert(1), broken, alert(3), alert(4)], (nonce) => nonce);
  await using checker = await startChecker(server.address, { feeds: ["alerts"], decodeEvery: 4 });
  await checker.untilEvents(4);
  assert.partialDeepStrictEqual(checker.report(), { events: 4, lost: 0, garbage: 0 });
});

test("startChecker() refuses a server that answers a health check with another number", async () => {
  using server = await startScript([], (nonce) => nonce - 1);
  await assert.rejects(startChecker(server.address, { feeds: ["alerts"] }), /HealthCheck of \d+ answered \d+/);
});

test("startChecker() gives up on a server that is not there", async () => {
  const server = await startScript([], (nonce) => nonce);
  server[Symbol.dispose]();
  await assert.rejects(startChecker(server.address, { timeoutMs: 50 }), /Cannot check the health of/);
});
