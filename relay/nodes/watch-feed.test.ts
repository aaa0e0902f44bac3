import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import { feeds } from "../feeds.ts";
import { ErrorCode } from "../http2/errors.ts";
import { Flag } from "../http2/frame.ts";
import type { Field } from "../http2/hpack-static-table.ts";
import { data, greeting, headers, ScriptedPeer } from "../http2/scripted-peer.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import type { StreamEnd } from "./grpc-call.ts";
import { watchFeed } from "./watch-feed.ts";

const target = { scheme: "http", authority: "agent" };
const alerts = feeds[0] ?? assert.fail();
const event = encodeFrame(Buffer.of(1, 2, 3));
const end: number = Flag.endHeaders | Flag.endStream;

function watch(signal: AbortSignal = new AbortController().signal) {
  const peer = new ScriptedPeer();
  peer.say(greeting);
  const seen = { events: 0, answers: 0 };
  const onRun = (_: Buffer, events: number) => {
    seen.events += events;
  };
  const onAnswer = () => {
    seen.answers += 1;
  };
  return { peer, seen, ended: watchFeed(peer.connection, target, alerts, { onRun, onAnswer }, signal) };
}

const finalHeads: Record<string, { head: readonly Field[]; is: StreamEnd }> = {
  "an HTTP status": {
    head: [[":status", "404"]],
    is: { kind: "refused", code: undefined, message: "HTTP status 404" },
  },
  "a status that refuses": {
    head: [
      [":status", "200"],
      ["grpc-status", "12"],
    ],
    is: { kind: "refused", code: Code.UNIMPLEMENTED, message: "UNIMPLEMENTED" },
  },
  "the status OK": {
    head: [
      [":status", "200"],
      ["grpc-status", "0"],
    ],
    is: { kind: "status", code: Code.OK, message: "OK" },
  },
  "a web page": {
    head: [
      [":status", "200"],
      ["content-type", "text/html"],
    ],
    is: { kind: "refused", code: undefined, message: "HTTP status 200 with content of type text/html" },
  },
};
for (const [sentence, { head, is }] of Object.entries(finalHeads)) {
  test(`watchFeed() ends with ${sentence} in the head, whatever comes behind it`, async () => {
    for (const content of [event, Buffer.from("no frame at all")]) {
      const { peer, seen, ended } = watch();
      peer.say(Buffer.concat([headers(1, head), data(1, content)]));
      assert.deepEqual(await ended, is);
      assert.deepEqual(seen, { events: 0, answers: 0 });
      assert.equal(peer.resetCode(1), ErrorCode.CANCEL);
    }
  });

  test(`watchFeed() ends with ${sentence} in a head that is all, and resets nothing`, async () => {
    const { peer, ended } = watch();
    peer.say(headers(1, head, end));
    assert.deepEqual(await ended, is);
    assert.equal(peer.resetCode(1), undefined);
  });
}

test("watchFeed() takes content of every type of gRPC's, and of none", () => {
  for (const contentType of [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc;charset=utf-8",
    undefined,
  ]) {
    const { peer, seen } = watch();
    const head: Field[] = [[":status", "200"]];
    if (contentType !== undefined) head.push(["content-type", contentType]);
    peer.say(Buffer.concat([headers(1, head), data(1, event)]));
    assert.deepEqual(seen, { events: 1, answers: 1 }, contentType);
  }
});

test("watchFeed() leaves nothing at the signal when it has ended", async () => {
  const { signal } = new AbortController();
  for (let watches = 0; watches < 50; watches++) {
    const { peer, ended } = watch(signal);
    peer.say(headers(1, [[":status", "404"]], end));
    await ended;
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
