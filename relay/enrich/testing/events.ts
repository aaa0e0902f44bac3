import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { FeedId } from "../../feeds.ts";
import { FrameCutter, framePrefixBytes } from "../../wire/frame-cutter.ts";

// Compiled from the text: what was compiled before does not know EventData for a map.
const proto = fileURLToPath(new URL("../../../proto/kubearmor.proto", import.meta.url));
const service = loadSync(proto, { keepCase: true })["feeder.LogService"] as ServiceDefinition;
const methods: Readonly<Record<FeedId, string>> = {
  alerts: "WatchAlerts",
  logs: "WatchLogs",
  messages: "WatchMessages",
};

function codec(feed: FeedId) {
  return service[methods[feed]] ?? assert.fail(`no method of ${feed}`);
}

/** An event on the wire, by an encoder that is not ours. */
export function encodeEvent(feed: FeedId, event: object): Buffer {
  return codec(feed).responseSerialize(event);
}

/** The fields of an event, by a decoder that is not ours. @throws {Error} when it is malformed */
export function decodeEvent(feed: FeedId, message: Buffer): Readonly<Record<string, unknown>> {
  return codec(feed).responseDeserialize(message) as Readonly<Record<string, unknown>>;
}

/** A field of bytes as it goes on the wire. */
export function encodeField(number: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  assert.ok(bytes.length < 128 && number < 2048);
  const tag = number * 8 + 2;
  const tagBytes = tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7];
  return Buffer.concat([Buffer.from([...tagBytes, bytes.length]), bytes]);
}

/** The messages of a run, copied. */
export function messagesIn(run: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  const cutter = new FrameCutter({ maxMessageBytes: 4 * 1024 * 1024 }, (frames, events) => {
    for (let at = 0, left = events; left > 0; left--) {
      const end = at + framePrefixBytes + frames.readUInt32BE(at + 1);
      messages.push(Buffer.from(frames.subarray(at + framePrefixBytes, end)));
      at = end;
    }
  });
  cutter.push(run);
  cutter.end();
  return messages;
}
