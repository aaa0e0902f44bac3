import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { FakeClock } from "../process/fake-clock.ts";
import { silentLog } from "../process/log.ts";
import type { Log, LogFields } from "../process/log.ts";
import { createKubeClient } from "./client.ts";
import type { KubeClientDeps } from "./client.ts";
import { ApiError, isConflict } from "./errors.ts";
import { configMaps, deployments } from "./resources.ts";
import { RecordingClock } from "./testing/recording-clock.ts";
import { fakeCluster, sendJson, startScriptedServer, status } from "./testing/scripted-server.ts";
import type { KubeClient, KubeObject } from "./types.ts";

const name = { namespace: "a", name: "b" };
const configMap: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: name, data: { key: "value" } };
const json = "application/json";

function start(url: string, deps: Partial<KubeClientDeps> = {}, credentials?: Parameters<typeof fakeCluster>[1]) {
  return createKubeClient(fakeCluster(url, credentials), { log: silentLog, userAgent: "test/1", ...deps });
}

const requests: Readonly<
  Record<
    string,
    readonly [send: (client: KubeClient) => Promise<unknown>, method: string, target: string, contentType?: string]
  >
> = {
  get: [(client) => client.get(configMaps, name), "GET", "/api/v1/namespaces/a/configmaps/b"],
  create: [(client) => client.create(configMaps, configMap), "POST", "/api/v1/namespaces/a/configmaps", json],
  replace: [(client) => client.replace(configMaps, configMap), "PUT", "/api/v1/namespaces/a/configmaps/b", json],
  apply: [
    (client) => client.apply(configMaps, configMap, { fieldManager: "me", force: true }),
    "PATCH",
    "/api/v1/namespaces/a/configmaps/b?fieldManager=me&force=true&fieldValidation=Warn",
    "application/apply-patch+yaml",
  ],
  "apply of the status": [
    (client) => client.apply(deployments, configMap, { fieldManager: "me", force: false, subresource: "status" }),
    "PATCH",
    "/apis/apps/v1/namespaces/a/deployments/b/status?fieldManager=me&force=false&fieldValidation=Warn",
    "application/apply-patch+yaml",
  ],
  mergePatch: [
    (client) => client.mergePatch(configMaps, name, { data: null }),
    "PATCH",
    "/api/v1/namespaces/a/configmaps/b",
    "application/merge-patch+json",
  ],
  jsonPatch: [
    (client) => client.jsonPatch(configMaps, name, [{ op: "remove", path: "/data" }]),
    "PATCH",
    "/api/v1/namespaces/a/configmaps/b",
    "application/json-patch+json",
  ],
  "jsonPatch of a status": [
    (client) => client.jsonPatch(configMaps, name, [], undefined, "status"),
    "PATCH",
    "/api/v1/namespaces/a/configmaps/b/status",
    "application/json-patch+json",
  ],
  "apply of the scale": [
    (client) => client.apply(deployments, configMap, { fieldManager: "me", force: true, subresource: "scale" }),
    "PATCH",
    "/apis/apps/v1/namespaces/a/deployments/b/scale?fieldManager=me&force=true&fieldValidation=Warn",
    "application/apply-patch+yaml",
  ],
  delete: [(client) => client.delete(configMaps, name), "DELETE", "/api/v1/namespaces/a/configmaps/b", json],
  raw: [(client) => client.raw("POST", "/apis/x/v1/reviews", { a: 1 }), "POST", "/apis/x/v1/reviews", json],
};

for (const [sentence, [send, method, target, contentType]] of Object.entries(requests)) {
  test(`KubeClient sends ${sentence} as the API wants it`, async () => {
    await using server = await startScriptedServer((_, response) => sendJson(response, 200, configMap));
    await using client = start(server.url, {}, () => ({ headers: { authorization: "Bearer t" } }));
    await send(client);
    const [seen] = server.requests;
    assert.ok(seen !== undefined);
    const query = seen.query.size === 0 ? "" : `?${seen.query.toString()}`;
    assert.deepEqual([seen.method, seen.path + query, seen.headers["content-type"]], [method, target, contentType]);
    assert.equal(seen.headers.authorization, "Bearer t");
    assert.equal(seen.headers["user-agent"], "test/1");
  });
}

/** Every write of an object of the caller. */
const writes: Readonly<Record<string, (client: KubeClient, object: KubeObject) => Promise<unknown>>> = {
  create: (client, object) => client.create(configMaps, object),
  replace: (client, object) => client.replace(configMaps, object),
  apply: (client, object) => client.apply(configMaps, object, { fieldManager: "me", force: true }),
  mergePatch: (client, object) => client.mergePatch(configMaps, object.metadata, object),
  jsonPatch: (client, object) =>
    client.jsonPatch(configMaps, object.metadata, [{ op: "add", path: "/data", value: object }]),
};

for (const [verb, write] of Object.entries(writes)) {
  test(`KubeClient.${verb}() leaves the caller's object as it was, and the answer is another one`, async () => {
    await using server = await startScriptedServer((_, response) => sendJson(response, 200, configMap));
    await using client = start(server.url);
    // A cached object is shared: writing to a frozen one throws.
    const object = deepFreeze(structuredClone(configMap));
    assert.notEqual(await write(client, object), object);
    assert.deepEqual(object, configMap);
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

test("KubeClient sends a header of several values as often: the server takes a list in one for one name", async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, configMap));
  const headers = { "impersonate-user": "jane", "impersonate-group": ["dev", "a,b"] };
  await using client = start(server.url, {}, () => ({ headers }));
  await client.get(configMaps, name);
  const [seen] = server.requests;
  assert.deepEqual(seen?.distinctHeaders["impersonate-group"], ["dev", "a,b"]);
  assert.deepEqual(seen?.distinctHeaders["impersonate-user"], ["jane"]);
});

test("KubeClient.get() answers undefined and delete() false for what is not there", async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 404, status(404, "NotFound")));
  await using client = start(server.url);
  assert.equal(await client.get(configMaps, name), undefined);
  assert.equal(await client.delete(configMaps, name), false);
});

test("KubeClient.delete() sends its preconditions", async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, status(200, "")));
  await using client = start(server.url);
  const deleted = await client.delete(configMaps, name, {
    uid: "u",
    resourceVersion: "5",
    propagationPolicy: "Orphan",
  });
  assert.equal(deleted, true);
  assert.deepEqual(server.requests[0]?.body, {
    apiVersion: "v1",
    kind: "DeleteOptions",
    preconditions: { uid: "u", resourceVersion: "5" },
    propagationPolicy: "Orphan",
  });
});

test("KubeClient.list() reads all pages and says what the items are", async () => {
  await using server = await startScriptedServer((request, response) => {
    const token = request.query.get("continue");
    const items = [{ metadata: { name: token === null ? "first" : "second", namespace: "a" } }];
    const metadata = { resourceVersion: "7", continue: token === null ? "more" : "" };
    sendJson(response, 200, { kind: "ConfigMapList", apiVersion: "v1", metadata, items });
  });
  await using client = start(server.url);
  const items = await client.list(configMaps, { namespace: "a", labelSelector: "x=y" });
  assert.deepEqual(
    items.map((item) => [item.apiVersion, item.kind, item.metadata.name]),
    [
      ["v1", "ConfigMap", "first"],
      ["v1", "ConfigMap", "second"],
    ],
  );
  assert.deepEqual(
    server.requests.map((request) => request.query.toString()),
    ["labelSelector=x%3Dy&limit=500", "labelSelector=x%3Dy&limit=500&continue=more"],
  );
});

test("KubeClient.list() reads the whole list anew when its snapshot expires between two pages", async () => {
  await using server = await startScriptedServer((request, response) => {
    if (request.query.has("continue")) return sendJson(response, 410, status(410, "Expired"));
    const isWhole = !request.query.has("limit");
    const items = (isWhole ? ["x", "y"] : ["old"]).map((item) => ({ metadata: { name: item } }));
    sendJson(response, 200, { metadata: { resourceVersion: "9", continue: isWhole ? "" : "more" }, items });
  });
  await using client = start(server.url);
  const items = await client.list(configMaps, {});
  assert.deepEqual(
    items.map((item) => item.metadata.name),
    ["x", "y"],
  );
});

test("KubeClient sends a refused request again with fresh credentials, once", async () => {
  await using server = await startScriptedServer((request, response) => {
    if (request.headers.authorization === "Bearer new") sendJson(response, 200, configMap);
    else sendJson(response, 401, status(401, "Unauthorized"));
  });
  await using client = start(server.url, {}, (fresh) => ({
    headers: { authorization: fresh ? "Bearer new" : "Bearer old" },
  }));
  await client.create(configMaps, configMap);
  assert.deepEqual(
    server.requests.map((request) => request.headers.authorization),
    ["Bearer old", "Bearer new"],
  );

  await using refused = start(server.url);
  await assert.rejects(refused.get(configMaps, name), { code: 401 });
  assert.equal(server.requests.length, 4);
});

test("KubeClient waits as long as the server asks, then sends again", async () => {
  await using server = await startScriptedServer((_, response, index) => {
    if (index > 0) sendJson(response, 200, configMap);
    else sendJson(response, 429, status(429, "TooManyRequests"), { "retry-after": "5" });
  });
  const clock = new RecordingClock();
  await using client = start(server.url, { clock, random: () => 0 });
  const answer = client.get(configMaps, name);
  await clock.asked(5000);
  clock.advance(4999);
  assert.equal(server.requests.length, 1);
  clock.advance(1);
  assert.equal((await answer)?.metadata.name, "b");
});

test("KubeClient hands a refusal on after three retries, with the wait that the server asked for", async () => {
  await using server = await startScriptedServer((_, response) => {
    sendJson(response, 503, status(503, "ServiceUnavailable"), { "retry-after": "0" });
  });
  await using client = start(server.url);
  await assert.rejects(client.replace(configMaps, configMap), { code: 503, retryAfterMs: 0 });
  assert.equal(server.requests.length, 4);
});

test("KubeClient does not send a create again", async () => {
  await using server = await startScriptedServer((_, response) => {
    sendJson(response, 429, status(429, "TooManyRequests"), { "retry-after": "0" });
  });
  await using client = start(server.url);
  await assert.rejects(client.create(configMaps, configMap), { code: 429 });
  await assert.rejects(client.jsonPatch(configMaps, name, []), { code: 429 });
  assert.equal(server.requests.length, 2);
});

const slow: Readonly<Record<string, (send: (text: string) => void) => void>> = {
  "never answers": () => {},
  "sends a part of its answer and stalls": (send) => send('{"kind":"Conf'),
};

for (const [sentence, begin] of Object.entries(slow)) {
  test(`KubeClient gives up after 30 s on a server that ${sentence}`, async () => {
    await using server = await startScriptedServer((_, response) => {
      begin((text) => response.writeHead(200, { "content-type": json }).write(text));
    });
    const clock = new FakeClock();
    await using client = start(server.url, { clock });
    const answer = client.get(configMaps, name);
    await server.seen(1);
    clock.advance(29_999);
    assert.equal(clock.pendingTimers, 1);
    clock.advance(1);
    await assert.rejects(answer, (error: Error) => {
      assert.match(error.message, /^Cannot get configmaps at 127\.0\.0\.1/);
      assert.match(String(error.cause), /No complete answer within 30000 ms/);
      return true;
    });
    // The stalled connection is not given to another request.
    await server.closedDownTo(0);
  });
}

test("KubeClient rejects with a cause when the connection breaks", async () => {
  await using server = await startScriptedServer((_, response) => response.socket?.resetAndDestroy());
  await using client = start(server.url);
  await assert.rejects(client.get(configMaps, name), (error: Error) => {
    assert.ok(!(error instanceof ApiError));
    return error.cause instanceof Error;
  });
});

test("KubeClient rejects with the reason of the caller's signal", async () => {
  await using server = await startScriptedServer(() => {});
  await using client = start(server.url);
  const abort = new AbortController();
  const answer = client.get(configMaps, name, abort.signal);
  await server.seen(1);
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(answer, reason);
});

test("KubeClient makes an ApiError of what is not JSON", async () => {
  await using server = await startScriptedServer((_, response) => response.writeHead(502).end("<h1>Bad gateway</h1>"));
  await using client = start(server.url);
  await assert.rejects(client.get(configMaps, name), { code: 502, reason: "", message: /<h1>Bad gateway<\/h1>/ });
});

test("KubeClient carries the causes of a refusal", async () => {
  const causes = [{ reason: "FieldManagerConflict", field: ".data.key", message: 'conflict with "other"' }];
  await using server = await startScriptedServer((_, response) =>
    sendJson(response, 409, status(409, "Conflict", { causes })),
  );
  await using client = start(server.url);
  await assert.rejects(client.apply(configMaps, configMap, { fieldManager: "me", force: false }), (error) => {
    assert.ok(isConflict(error));
    assert.deepEqual(error.details.causes, causes);
    assert.deepEqual([error.verb, error.resource, error.objectName], ["apply", "configmaps", "b"]);
    return true;
  });
});

test("KubeClient logs the server's warnings about a write", async () => {
  const warning = '299 - "unknown field \\"spec.x\\""';
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, configMap, { warning }));
  const lines: LogFields[] = [];
  const log: Log = { ...silentLog, warn: (_, fields) => lines.push(fields ?? {}) };
  await using client = start(server.url, { log });
  await client.apply(configMaps, configMap, { fieldManager: "me", force: true });
  await client.get(configMaps, name);
  assert.deepEqual(lines, [{ verb: "apply", resource: "configmaps", objectName: "b", warning }]);
});

test("KubeClient counts requests under the names of client-go", async () => {
  await using server = await startScriptedServer((_, response, index) => {
    if (index === 2) response.socket?.resetAndDestroy();
    else sendJson(response, index === 0 ? 200 : 404, configMap);
  });
  const metrics = new Registry();
  await using client = start(server.url, { metrics });
  // A second client of one program shares the counter.
  await using other = start(server.url, { metrics });
  await client.get(configMaps, name);
  await other.get(configMaps, name);
  await assert.rejects(other.get(configMaps, name));
  const text = await metrics.metrics();
  const { host } = new URL(server.url);
  for (const code of ["200", "404", "<error>"]) {
    assert.ok(text.includes(`rest_client_requests_total{code="${code}",method="GET",host="${host}"} 1`), text);
  }
});

test("KubeClient sends any number of requests over eight connections", async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, configMap));
  await using client = start(server.url);
  await Promise.all(Array.from({ length: 200 }, () => client.get(configMaps, name)));
  assert.equal(server.requests.length, 200);
  assert.ok(server.connections.opened <= 8, String(server.connections.opened));
});

test("KubeClient opens new connections when the TLS credentials change and closes the old ones", async () => {
  await using server = await startScriptedServer((_, response) => sendJson(response, 200, configMap));
  let tlsGeneration = 1;
  await using client = start(server.url, {}, () => ({ tlsGeneration }));
  await client.get(configMaps, name);
  const { opened } = server.connections;
  tlsGeneration = 2;
  await client.get(configMaps, name);
  assert.equal(server.connections.opened, opened + 1);
  await server.closedDownTo(1);
});

test("KubeClient leaves no connection open after its end, and takes no more requests", async () => {
  await using server = await startScriptedServer((request, response) => {
    if (!request.query.has("watch")) sendJson(response, 200, configMap);
    else response.writeHead(200).flushHeaders();
  });
  const client = start(server.url);
  await client.get(configMaps, name);
  const query = { resourceVersion: "1", timeoutSeconds: 60 };
  await client.watch(configMaps, {}, query, new AbortController().signal);
  await client[Symbol.asyncDispose]();
  await server.closedDownTo(0);
  await assert.rejects(client.get(configMaps, name), (error: Error) => /is closed/.test(String(error.cause)));
});

test("KubeClient goes through the proxy that the kubeconfig names", async () => {
  await using proxy = await startScriptedServer((_, response) => sendJson(response, 200, configMap));
  const cluster = { ...fakeCluster("http://api.invalid/prefix"), proxyUrl: proxy.url };
  await using client = createKubeClient(cluster, { log: silentLog, userAgent: "test/1" });
  await client.get(configMaps, name);
  assert.equal(proxy.requests[0]?.headers.host, "api.invalid");
  assert.equal(proxy.requests[0]?.path, "/prefix/api/v1/namespaces/a/configmaps/b");
});
