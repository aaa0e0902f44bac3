import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FeedId, feeds } from "../feeds.ts";
import { type JsonField, jsonLineTables, type MessageTable } from "../sinks/json-line-table.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { Enricher } from "./enricher.ts";
import { decodeEvent, encodeEvent, encodeField, messagesIn } from "./testing/events.ts";

const owners: Readonly<Record<string, string>> = { "10.0.0.1": "pod/a/b", "fd00::1": "svc/c/d" };
const hosts = { lookup: (address: string) => owners[address] };

/** Texts that matter to the enricher, and any. */
const hints: Readonly<Record<string, readonly string[]>> = {
  ClusterName: ["", "default", "east", "default "],
  Operation: ["Network", "Network", "Network", "Process", "NetworkFirewall"],
  Resource: [
    "remoteip=10.0.0.1 port=1",
    "port=1 remoteip=fd00::1",
    "remoteip=10.0.0.9",
    "xremoteip=10.0.0.1",
    "remoteip= x",
    "remoteip=10.0.0.1 remotehost=pod/x/y",
    "remoteip=10.0.0.9 remoteip=10.0.0.1",
    "\tremoteip=fd00::1\n",
  ],
  Data: ["kprobe=tcp_connect domain=AF_INET", "a kprobe=tcp_accept", "kprobe=udp_sendmsg", "lsm=kprobe=tcp_"],
};
const someText = fc.string({ unit: "grapheme", maxLength: 12 });

function someValue({ name, type }: JsonField): fc.Arbitrary<unknown> {
  switch (type) {
    case "string":
      return fc.oneof(someText, fc.constantFrom(...(hints[name] ?? ["/usr/bin/remoteip=10.0.0.1"])));
    case "strings":
      return fc.array(someText, { maxLength: 3 });
    case "string-map":
      return fc.dictionary(someText, someText, { maxKeys: 3 });
    case "int32":
    case "int64":
      return fc.integer();
    default:
      return someFields(type);
  }
}

function someFields(table: MessageTable): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(table.map((field) => [field.name, someValue(field)])), { requiredKeys: [] });
}

/** A well-formed event: fields, perhaps some of them again, and fields that nobody knows yet. */
function someEvent(feed: FeedId): fc.Arbitrary<Buffer> {
  const table = jsonLineTables[feed];
  const any = someFields(table).map((event) => encodeEvent(feed, event));
  const hinted = table
    .filter(({ name }) => name in hints)
    .map(({ name }) => [name, fc.constantFrom(...(hints[name] ?? []))]);
  const again = fc.record(Object.fromEntries(hinted) as Record<string, fc.Arbitrary<string>>);
  const unknown = fc.uint8Array({ maxLength: 20 }).map((bytes) => encodeField(300, bytes));
  return fc
    .tuple(any, fc.option(again.map((event) => encodeEvent(feed, event))), fc.option(unknown))
    .map((parts) => Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))));
}

function words(text: unknown): readonly string[] {
  return typeof text === "string" ? text.split(/[ \t\n\v\f\r]+/) : [];
}

/** Read from decoded texts, the slow way. */
function expectedResource({ Operation, Data, Resource }: Readonly<Record<string, unknown>>): unknown {
  const address = words(Resource).find((word) => word.startsWith("remoteip="));
  const isConnection = Operation === "Network" && words(Data).some((word) => word.startsWith("kprobe=tcp_"));
  const isNamed = words(Resource).some((word) => word.startsWith("remotehost="));
  const owner = owners[address?.slice("remoteip=".length) ?? ""];
  return isConnection && !isNamed && owner !== undefined ? `${String(Resource)} remotehost=${owner}` : Resource;
}

for (const { id: feed } of feeds) {
  const some = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: someEvent(feed).map((bytes) => ({ bytes, isWellFormed: true })) },
      {
        weight: 1,
        arbitrary: fc
          .uint8Array({ maxLength: 40 })
          .map((bytes) => ({ bytes: Buffer.from(bytes), isWellFormed: false })),
      },
    ),
    { maxLength: 12 },
  );

  test(`Enricher.apply() of ${feed} keeps number, order and every field of events, and adds what is known`, () => {
    // One for all runs, so that what it uses again is used again.
    const enricher = new Enricher();
    fc.assert(
      fc.property(some, fc.constantFrom("", "west"), fc.boolean(), (events, clusterName, namesPeers) => {
        enricher.configure({ clusterName, hosts: namesPeers ? hosts : undefined });
        const run = Buffer.concat(events.map(({ bytes }) => encodeFrame(bytes)));
        const before = Buffer.from(run);
        const messages = messagesIn(enricher.apply(feed, run, events.length));
        assert.deepEqual(run, before);
        assert.equal(messages.length, events.length);
        for (const [at, { bytes, isWellFormed }] of events.entries()) {
          const message = messages[at] ?? assert.fail();
          assert.deepEqual(message.subarray(0, bytes.length), bytes, `event ${at}`);
          if (!isWellFormed) continue;
          const event = decodeEvent(feed, bytes);
          const { ClusterName } = event;
          const isUnnamed = ClusterName === undefined || ClusterName === "" || ClusterName === "default";
          assert.deepEqual(decodeEvent(feed, message), {
            ...event,
            ...(clusterName !== "" && isUnnamed ? { ClusterName: clusterName } : {}),
            ...(feed === "logs" && namesPeers && "Resource" in event ? { Resource: expectedResource(event) } : {}),
          });
        }
      }),
      { numRuns: 1000 },
    );
  });
}
