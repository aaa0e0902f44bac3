import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { test } from "node:test";
import { FakeClock } from "../process/fake-clock.ts";
import { silentLog } from "../process/log.ts";
import { createKubeClient } from "./client.ts";
import type { Cluster } from "./cluster.ts";
import { startListWatch } from "./list-watch.ts";
import type { ListWatch } from "./list-watch.ts";
import { configMaps } from "./resources.ts";
import { turnsUntil } from "./testing/recording-clock.ts";
import { fakeCluster, sendJson, startScriptedServer, status } from "./testing/scripted-server.ts";
import type { ScriptedServer } from "./testing/scripted-server.ts";

interface Followed extends AsyncDisposable {
  readonly server: ScriptedServer;
  readonly clock: FakeClock;
  readonly listWatch: ListWatch;
  readonly changes: string[];
  readonly restarts: string[];
}

const event = (name: string, version: string) =>
  `${JSON.stringify({ type: "ADDED", object: { kind: "ConfigMap", metadata: { name, resourceVersion: version } } })}\n`;

/** A list-watch over real connections to a server whose list is empty and whose watches the test plays. */
async function follow(...watches: readonly ((response: ServerResponse) => void)[]): Promise<Followed> {
  let watched = 0;
  const server = await startScriptedServer((request, response) => {
    if (!request.query.has("watch")) return sendJson(response, 200, { metadata: { resourceVersion: "1" }, items: [] });
    const play = watches[watched];
    watched += 1;
    if (play === undefined) response.writeHead(200).flushHeaders();
    else play(response);
  });
  const clock = new FakeClock();
  const client = createKubeClient(fakeCluster(server.url), { log: silentLog, userAgent: "test/1", clock });
  const [changes, restarts]: [string[], string[]] = [[], []];
  const listWatch = startListWatch(
    {
      resource: configMaps,
      scope: { namespace: "a", labelSelector: "x=y" },
      onChange: (change) => changes.push(change.kind === "replaced" ? "replaced" : change.object.metadata.name),
      onRestart: (reason) => restarts.push(reason),
    },
    { client, clock, random: () => 0.5, log: silentLog },
  );
  return {
    server,
    clock,
    listWatch,
    changes,
    restarts,
    async [Symbol.asyncDispose]() {
      await listWatch[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("startListWatch() over HTTP asks for what the API documents", async () => {
  await using followed = await follow();
  await followed.server.seen(2);
  assert.deepEqual(
    followed.server.requests.map((request) => `${request.path}?${request.query.toString()}`),
    [
      "/api/v1/namespaces/a/configmaps?labelSelector=x%3Dy&resourceVersion=0&resourceVersionMatch=NotOlderThan&limit=500",
      "/api/v1/namespaces/a/configmaps?watch=true&allowWatchBookmarks=true&labelSelector=x%3Dy&resourceVersion=1&timeoutSeconds=90",
    ],
  );
});

test("ListWatch over HTTP: its end closes the connection of its watch, while the client lives on", async () => {
  await using followed = await follow((response) => response.writeHead(200).write(event("one", "2")));
  await turnsUntil(() => followed.changes.includes("one"));
  assert.equal(followed.server.connections.open, 2);
  await followed.listWatch[Symbol.asyncDispose]();
  await followed.server.closedDownTo(1);
});

const ends: Readonly<
  Record<string, readonly [play: (response: ServerResponse) => void, restart: string, changes: readonly string[]]>
> = {
  "a status of 410": [(response) => sendJson(response, 410, status(410, "Expired")), "expired", ["replaced"]],
  "a 410 in the stream of a 200": [
    (response) => response.writeHead(200).end(`${JSON.stringify({ type: "ERROR", object: status(410, "Expired") })}\n`),
    "expired",
    ["replaced"],
  ],
  "a line that was cut": [
    (response) => response.writeHead(200).end(event("one", "2") + event("two", "3").slice(0, 30)),
    "closed",
    ["one"],
  ],
  "a reset after an event": [
    (response) => response.writeHead(200).write(event("one", "2"), () => response.socket?.resetAndDestroy()),
    "unreachable",
    ["one"],
  ],
  "an internal error": [(response) => sendJson(response, 500, status(500, "InternalError")), "server-error", []],
  "a page of a proxy": [(response) => response.writeHead(200).end("<html>\n</html>\n"), "malformed", []],
};

for (const [sentence, [play, restart, changes]] of Object.entries(ends)) {
  test(`startListWatch() over HTTP goes on after ${sentence}`, async () => {
    await using followed = await follow(play, (response) => response.writeHead(200).write(event("next", "9")));
    await turnsUntil(() => followed.restarts.length === 1 && followed.clock.pendingTimers === 1);
    followed.clock.advance(800);
    await turnsUntil(() => followed.changes.at(-1) === "next");
    assert.deepEqual(followed.changes, ["replaced", ...changes, "next"]);
    assert.deepEqual(followed.restarts, [restart]);
  });
}

test("startListWatch() over HTTP reads a watch that comes byte by byte", async () => {
  await using followed = await follow((response) => {
    response.writeHead(200);
    const bytes = Buffer.from(event("é", "2"));
    const send = (index: number) => {
      response.write(bytes.subarray(index, index + 1), () => {
        if (index + 1 < bytes.length) setImmediate(() => send(index + 1));
      });
    };
    send(0);
  });
  await turnsUntil(() => followed.changes.length === 2);
  assert.deepEqual(followed.changes, ["replaced", "é"]);
});

for (const [sentence, play] of Object.entries({
  "never answers": () => {},
  "stalls in a line": (response: ServerResponse) => response.writeHead(200).write('{"type":"ADD'),
})) {
  test(`startListWatch() over HTTP leaves a watch that ${sentence} after its time and ten seconds`, async () => {
    await using followed = await follow(play, (response) => response.writeHead(200).write(event("next", "2")));
    await followed.server.seen(2);
    followed.clock.advance(99_999);
    assert.deepEqual(followed.restarts, []);
    followed.clock.advance(1);
    await turnsUntil(() => followed.restarts.length === 1 && followed.clock.pendingTimers === 1);
    assert.deepEqual(followed.restarts, ["unreachable"]);
    followed.clock.advance(800);
    await turnsUntil(() => followed.changes.includes("next"));
  });
}

/** Clusters that take as long as they like, each with what tells that a request has come so far. */
const connecting: Readonly<Record<string, () => Promise<Connecting>>> = {
  "a login program runs": async () => {
    const asked = Promise.withResolvers<void>();
    const credentials = () => {
      asked.resolve();
      return new Promise<never>(() => {});
    };
    const cluster = { ...fakeCluster("https://127.0.0.1:1"), credentials };
    return { cluster, begun: asked.promise, async [Symbol.asyncDispose]() {} };
  },
  "TLS is being agreed on": async () => {
    const server = createServer();
    const sockets: Socket[] = [];
    const begun = once(server, "connection").then(([socket]: unknown[]) => void sockets.push(socket as Socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const dispose = async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    };
    return { cluster: fakeCluster(`https://127.0.0.1:${port}`), begun, [Symbol.asyncDispose]: dispose };
  },
};

interface Connecting extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly begun: Promise<void>;
}

for (const [sentence, begin] of Object.entries(connecting)) {
  test(`ListWatch.dispose() while ${sentence}: resolves at once`, async () => {
    await using attempt = await begin();
    const clock = new FakeClock();
    const client = createKubeClient(attempt.cluster, { log: silentLog, userAgent: "test/1", clock });
    const listWatch = startListWatch(
      { resource: configMaps, scope: {}, onChange: () => assert.fail("there is nothing to tell") },
      { client, clock, random: () => 0.5, log: silentLog },
    );
    await attempt.begun;
    // Nothing but its stop makes it end: the clock stands still.
    await listWatch[Symbol.asyncDispose]();
    await assert.rejects(listWatch.synced, /stopped/);
    assert.equal(clock.pendingTimers, 0);
    await client[Symbol.asyncDispose]();
  });
}
