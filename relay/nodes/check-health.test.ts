import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame, encodeRstStream, FrameType } from "../http2/frame.ts";
import { ErrorCode } from "../http2/errors.ts";
import { data, greeting, headers, ScriptedPeer } from "../http2/scripted-peer.ts";
import { encodeSettings, Setting } from "../http2/settings.ts";
import { checkHealth } from "./check-health.ts";

const deadlineMs = 1_000;
const noRoom = encodeFrame(FrameType.settings, 0, 0, encodeSettings([[Setting.maxConcurrentStreams, 0]]));

function call(feedAnswered: Promise<boolean>, settings = greeting) {
  const peer = new ScriptedPeer();
  peer.say(settings);
  const target = { scheme: "http", authority: "agent" };
  return { peer, health: checkHealth(peer.connection, target, { nonce: 1, deadlineMs, feedAnswered }, peer.clock) };
}

/** How an agent that takes no stream for it says so, before it was asked or afterwards. */
const refusals: Record<string, { settings: Buffer; answer: Buffer }> = {
  SETTINGS: { settings: noRoom, answer: Buffer.alloc(0) },
  REFUSED_STREAM: { settings: greeting, answer: encodeRstStream(1, ErrorCode.REFUSED_STREAM) },
};
for (const [how, { settings, answer }] of Object.entries(refusals)) {
  test(`checkHealth() takes an answered feed for the answer of an agent without a stream for it (${how})`, async () => {
    const answered = Promise.withResolvers<boolean>();
    const { peer, health } = call(answered.promise, settings);
    peer.say(answer);
    answered.resolve(true);
    await health;
    assert.equal(peer.clock.pendingTimers, 0);
  });

  test(`checkHealth() fails when an agent without a stream for it (${how}) answers no feed`, async () => {
    const over = call(Promise.resolve(false), settings);
    over.peer.say(answer);
    await assert.rejects(over.health, /HealthCheck failed: (At most 0 streams|.*REFUSED_STREAM)/);
    const late = call(new Promise(() => {}), settings);
    late.peer.say(answer);
    await new Promise((resolve) => setImmediate(resolve));
    late.peer.clock.advance(deadlineMs);
    await assert.rejects(late.health, /HealthCheck failed/);
    assert.deepEqual([over.peer.clock.pendingTimers, late.peer.clock.pendingTimers], [0, 0]);
  });
}

test("checkHealth() takes an answered feed for nothing when the call fails in another way", async () => {
  for (const answer of [encodeRstStream(1, ErrorCode.INTERNAL_ERROR), headers(1, [[":status", "404"]])]) {
    const { peer, health } = call(Promise.resolve(true));
    peer.say(Buffer.concat([answer, data(1, Buffer.from("not read"))]));
    await assert.rejects(health, /INTERNAL_ERROR|HTTP status 404/);
    assert.equal(peer.clock.pendingTimers, 0);
  }
  const { peer, health: lost } = call(Promise.resolve(true));
  peer.connection.close(new Error("Enough"));
  await assert.rejects(lost, /Enough/);
  const options = { nonce: 1, deadlineMs, feedAnswered: Promise.resolve(true) };
  const health = checkHealth(peer.connection, { scheme: "http", authority: "agent" }, options, peer.clock);
  await assert.rejects(health, /The connection is closed/);
});
