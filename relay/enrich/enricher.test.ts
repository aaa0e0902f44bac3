import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { KubeObject } from "../../lib/kube/types.ts";
import type { FeedId } from "../feeds.ts";
import { JsonLine, unreadable } from "../sinks/json-line.ts";
import { jsonLineTables } from "../sinks/json-line-table.ts";
import { viewOf } from "../sinks/json-line-text.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { type EnrichCounts, Enricher } from "./enricher.ts";
import { HostIndex } from "./host-index.ts";
import { decodeEvent, encodeEvent, encodeField, messagesIn } from "./testing/events.ts";

interface Step {
  readonly op: "add" | "update" | "delete";
  readonly kind: "Pod" | "Service";
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  readonly ips?: readonly string[];
  readonly hostNetwork?: boolean;
  readonly phase?: string;
}

interface Vector {
  readonly name: string;
  readonly class: "match" | "nomatch" | "quirk" | "cache";
  readonly steps: readonly Step[];
  readonly wire: string;
  readonly remotehost: string | null;
  readonly json: string;
}

const fixtures = new URL("../../test/fixtures/enrichment.jsonl", import.meta.url);
const vectors = readFileSync(fixtures, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Vector);

/** Where we tell another peer than upstream, or none; docs/enrichment.md has the reasons. */
const ours: Readonly<Record<string, string | null>> = {
  "nomatch/second-pod-ip-not-indexed": "pod/edge/dual-0",
  "quirk/word-contains-remoteip": null,
  "quirk/first-bad-second-good": null,
  "quirk/nbsp-separator": null,
  "quirk/nel-separator": null,
  "quirk/already-has-remotehost": null,
  "quirk/process-args-inject": null,
  "quirk/data-substring": null,
  "cache/delete-by-non-owner-removes": "pod/other/thief",
  "cache/ip-changed-old-stays": null,
  "cache/ip-changed-deleted-old-stays": null,
  "cache/succeeded-pod-still-named": null,
  "cache/service-second-family-not-indexed": "svc/shop/dual",
  "cache/three-hostNetwork-pods": null,
  "cache/pod-ip-uppercase-v6": "pod/shop/web-0",
};

/** The objects of a cluster after the steps; every step is a second later than the one before. */
function indexAfter(steps: readonly Step[]): HostIndex {
  const index = new HostIndex();
  const created = new Map<string, string>();
  for (const [at, { op, kind, namespace, name, ip, ips, hostNetwork, phase = "Running" }] of steps.entries()) {
    const key = `${kind}/${namespace}/${name}`;
    const creationTimestamp = created.get(key) ?? new Date(1.7e12 + at * 1000).toISOString();
    created.set(key, creationTimestamp);
    const object: KubeObject = {
      apiVersion: "v1",
      kind,
      metadata: { namespace, name, creationTimestamp },
      spec: kind === "Pod" ? { hostNetwork } : { clusterIP: ip, clusterIPs: ips },
      status: kind === "Pod" ? { phase, podIP: ip, podIPs: ips?.map((one) => ({ ip: one })) } : {},
    };
    index.apply(kind === "Pod" ? "pod" : "svc", { kind: op === "delete" ? "deleted" : "modified", object });
  }
  return index;
}

function lineOf(message: Buffer): string {
  const printer = new JsonLine(jsonLineTables.logs);
  const target = Buffer.alloc(printer.maxBytes(message.length));
  const end = printer.write(viewOf(message), 0, message.length, viewOf(target), 0);
  assert.notEqual(end, unreadable);
  return target.toString("utf8", 0, end);
}

describe("Enricher.apply() names the peer", () => {
  for (const { name, steps, wire, remotehost, json } of vectors) {
    const wanted = ours[name] === undefined ? remotehost : ours[name];
    const differs = wanted === remotehost ? "" : ", other than upstream";
    test(`${name}: ${wanted ?? "nobody"}${differs}`, () => {
      const event = Buffer.from(wire, "base64");
      const run = encodeFrame(event);
      const enricher = new Enricher();
      enricher.configure({ clusterName: "", hosts: indexAfter(steps) });
      const out = enricher.apply("logs", run, 1);
      if (wanted === null) {
        assert.equal(out, run);
        return;
      }
      const [message = assert.fail()] = messagesIn(out);
      const suffix = ` remotehost=${wanted}`;
      const { Resource: resource } = JSON.parse(lineOf(event)) as { Resource: string };
      const enriched = { ...(JSON.parse(lineOf(event)) as object), Resource: resource + suffix };
      assert.equal(lineOf(message), wanted === remotehost ? json : JSON.stringify(enriched));
      assert.deepEqual(message.subarray(0, event.length), event);
    });
  }

  test("as upstream for every vector of the classes match and nomatch but two", () => {
    const differing = vectors.filter(
      ({ name, class: kind }) => ours[name] !== undefined && !["quirk", "cache"].includes(kind),
    );
    assert.deepEqual(
      differing.map(({ name }) => name),
      ["nomatch/second-pod-ip-not-indexed"],
    );
    const names = new Set(vectors.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(ours).filter((name) => !names.has(name)),
      [],
    );
  });
});

const connection = {
  Operation: "Network",
  Resource: "remoteip=10.42.0.7 port=6379 protocol=TCP",
  Data: "kprobe=tcp_connect domain=AF_INET",
};
const hosts = { lookup: (address: string) => (address === "10.42.0.7" ? "pod/shop/web-0" : undefined) };
const named = `${connection.Resource} remotehost=pod/shop/web-0`;

interface Case {
  readonly feed?: FeedId;
  readonly event: Buffer;
  readonly clusterName?: string;
  /** What is read from the event afterwards; undefined = it is left as it was. */
  readonly reads: Readonly<Record<string, string>> | undefined;
  readonly counts: Partial<EnrichCounts>;
}

const log = (event: object, ...more: readonly Buffer[]) => Buffer.concat([encodeEvent("logs", event), ...more]);

const table: Readonly<Record<string, Case>> = {
  "names the peer of a connection": {
    event: log(connection),
    reads: { Resource: named },
    counts: { hostAdded: 1 },
  },
  "leaves a peer that nobody knows": {
    event: log({ ...connection, Resource: "remoteip=198.51.100.1 port=1 protocol=TCP" }),
    reads: undefined,
    counts: { hostUnknown: 1 },
  },
  "leaves a log that a relay has named the peer of": {
    event: log({ ...connection, Resource: named }),
    reads: undefined,
    counts: { hostPresent: 1 },
  },
  "reads the last of two resources": {
    event: log({ ...connection, Resource: "remoteip=198.51.100.1" }, encodeField(16, connection.Resource)),
    reads: { Resource: named },
    counts: { hostAdded: 1 },
  },
  "leaves a log whose last operation is another": {
    event: log(connection, encodeField(15, "File")),
    reads: undefined,
    counts: {},
  },
  "leaves a log whose last data is another": {
    event: log(connection, encodeField(17, "syscall=SYS_CONNECT")),
    reads: undefined,
    counts: {},
  },
  "leaves a log whose last resource is empty": {
    event: log(connection, encodeField(16, "")),
    reads: undefined,
    counts: {},
  },
  "does not read fields out of a group": {
    event: log(
      { ...connection, Operation: "Process" },
      Buffer.from([0x83, 0x0f]), // Group 240 begins.
      encodeField(15, "Network"),
      Buffer.from([0x84, 0x0f]),
    ),
    reads: undefined,
    counts: {},
  },
  "does not read fields out of a text": {
    event: log({
      Operation: "Process",
      Resource: `/bin/sh -c ${encodeField(15, "Network").toString("latin1")}`,
      Data: `${connection.Data} ${connection.Resource}`,
    }),
    reads: undefined,
    counts: {},
  },
  "is not misled by arguments of a process": {
    event: log({ ...connection, Operation: "Process", Resource: `/bin/sh -c ${connection.Resource}` }),
    reads: undefined,
    counts: {},
  },
  "is not misled by the path of a socket": {
    event: log({
      ...connection,
      Resource: `sa_family=AF_UNIX sun_path=/tmp/a ${connection.Resource}`,
      Data: "syscall=SYS_CONNECT fd=3",
    }),
    reads: undefined,
    counts: {},
  },
  "leaves an operation that only begins like Network": {
    event: log({ ...connection, Operation: "NetworkFirewall" }),
    reads: undefined,
    counts: {},
  },
  "leaves a resource whose address is longer than any": {
    event: log({ ...connection, Resource: `remoteip=10.42.0.7${"0".repeat(60)}` }),
    reads: undefined,
    counts: {},
  },
  "leaves a log that is malformed": {
    event: log(connection, Buffer.from([0x0a, 0x05, 0x61])),
    reads: undefined,
    counts: { unreadable: 1 },
  },
  "leaves a log with a resource that is not UTF-8": {
    event: log(
      { ...connection, Resource: "" },
      encodeField(16, Buffer.concat([Buffer.from("remoteip=10.42.0.7 "), Buffer.of(0xff)])),
    ),
    reads: undefined,
    counts: { unreadable: 1 },
  },
  "leaves a log with another text that is not UTF-8": {
    event: log(connection, encodeField(6, Buffer.of(0xc3)), encodeField(6, "web-0")),
    reads: undefined,
    counts: { unreadable: 1 },
  },
  "leaves a log with a nested text that is not UTF-8": {
    event: log(connection, encodeField(24, encodeField(2, Buffer.of(0xc3)))),
    reads: undefined,
    counts: { unreadable: 1 },
  },
  "leaves a log with a malformed part": {
    event: log(connection, encodeField(33, Buffer.of(0x0a, 0x09))),
    reads: undefined,
    counts: { unreadable: 1 },
  },
  "names the peer of a log with unknown fields of any bytes": {
    event: log(
      connection,
      encodeField(60, Buffer.of(0xff)),
      encodeField(99, Buffer.of(0xfe)),
      encodeField(24, encodeField(9, Buffer.of(0xff))),
    ),
    reads: { Resource: named },
    counts: { hostAdded: 1 },
  },
  "leaves alerts of connections": {
    feed: "alerts",
    event: encodeEvent("alerts", connection),
    reads: undefined,
    counts: {},
  },
  "names the cluster of an alert that does not": {
    feed: "alerts",
    clusterName: "west",
    event: encodeEvent("alerts", { Message: "hm" }),
    reads: { ClusterName: "west" },
    counts: { clusterNameAdded: 1 },
  },
  "names the cluster of a message that says default": {
    feed: "messages",
    clusterName: "west",
    event: encodeEvent("messages", { ClusterName: "default" }),
    reads: { ClusterName: "west" },
    counts: { clusterNameAdded: 1 },
  },
  "names the cluster of an empty message": {
    feed: "messages",
    clusterName: "west",
    event: Buffer.alloc(0),
    reads: { ClusterName: "west" },
    counts: { clusterNameAdded: 1 },
  },
  "leaves the name of a cluster": {
    feed: "alerts",
    clusterName: "west",
    event: encodeEvent("alerts", { ClusterName: "east" }),
    reads: undefined,
    counts: {},
  },
  "leaves a name that only begins like default": {
    feed: "alerts",
    clusterName: "west",
    event: encodeEvent("alerts", { ClusterName: "defaults" }),
    reads: undefined,
    counts: {},
  },
  "reads the last of two names of clusters": {
    feed: "alerts",
    clusterName: "west",
    event: Buffer.concat([encodeEvent("alerts", { ClusterName: "east" }), encodeField(3, "default")]),
    reads: { ClusterName: "west" },
    counts: { clusterNameAdded: 1 },
  },
  "leaves a log that is not UTF-8 without a name": {
    clusterName: "west",
    event: log({}, encodeField(33, encodeField(1, Buffer.of(0xff)))),
    reads: undefined,
    counts: { unreadable: 1 },
  },
  "reads a text of many bytes as UTF-8": {
    clusterName: "wöst",
    event: log({ EventData: { Ärger: "é".repeat(200) }, Owner: { Name: "ü" } }),
    reads: { ClusterName: "wöst" },
    counts: { clusterNameAdded: 1 },
  },
  "names peer and cluster of one log": {
    clusterName: "west",
    event: log(connection),
    reads: { Resource: named, ClusterName: "west" },
    counts: { hostAdded: 1, clusterNameAdded: 1 },
  },
  "takes default for no name of a cluster": {
    clusterName: "default",
    event: log({ ClusterName: "" }),
    reads: undefined,
    counts: {},
  },
  "leaves a log that would become too large": {
    event: log({ ...connection, Cwd: "x".repeat((4 << 20) - 120) }),
    reads: undefined,
    counts: { tooLarge: 1 },
  },
};

describe("Enricher.apply()", () => {
  for (const [sentence, { feed = "logs", event, clusterName = "", reads, counts }] of Object.entries(table)) {
    test(sentence, () => {
      const enricher = new Enricher();
      enricher.configure({ clusterName, hosts });
      const run = encodeFrame(event);
      const out = enricher.apply(feed, run, 1);
      const none = { hostAdded: 0, hostUnknown: 0, hostPresent: 0, clusterNameAdded: 0, unreadable: 0, tooLarge: 0 };
      assert.deepEqual(enricher.counts(feed), { ...none, ...counts });
      if (reads === undefined) {
        assert.equal(out, run);
        return;
      }
      const [message = assert.fail()] = messagesIn(out);
      assert.deepEqual(message.subarray(0, event.length), event);
      assert.deepEqual(decodeEvent(feed, message), { ...decodeEvent(feed, event), ...reads });
    });
  }

  test("does not take a field of the wrong type for the operation", () => {
    const enricher = new Enricher();
    enricher.configure({ clusterName: "", hosts });
    const event = log(connection, Buffer.of(15 * 8, 1));
    const [message = assert.fail()] = messagesIn(enricher.apply("logs", encodeFrame(event), 1));
    assert.equal(lineOf(message), lineOf(log({ ...connection, Resource: named })));
  });

  test("lets an event grow to 4 MiB, and no further", () => {
    const enricher = new Enricher();
    enricher.configure({ clusterName: "west", hosts: undefined });
    const limit = 4 * 1024 * 1024;
    // The field takes 2 bytes and its 4 letters; Cwd takes 2 bytes, and 4 for its length.
    for (const [bytes, size] of [
      [limit - 6, limit],
      [limit - 5, limit - 5],
    ] as const) {
      const event = encodeEvent("alerts", { Cwd: "x".repeat(bytes - 6) });
      assert.equal(event.length, bytes);
      assert.deepEqual(
        messagesIn(enricher.apply("alerts", encodeFrame(event), 1)).map(({ length }) => length),
        [size],
      );
    }
  });

  test("returns the very run while nothing is wanted, and asks nobody", () => {
    const enricher = new Enricher();
    const asked: string[] = [];
    const lookup = (address: string) => {
      asked.push(address);
      return "pod/a/b";
    };
    const run = encodeFrame(log(connection));
    assert.equal(enricher.apply("logs", run, 1), run);
    enricher.configure({ clusterName: "", hosts: { lookup } });
    assert.notEqual(enricher.apply("logs", run, 1), run);
    enricher.configure({ clusterName: "", hosts: undefined });
    assert.equal(enricher.apply("logs", run, 1), run);
    assert.deepEqual(asked, ["10.42.0.7"]);
  });
});
