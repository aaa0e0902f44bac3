import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  status as Code,
  type StatusObject,
} from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { acceptCall } from "../../relay/server/accept.ts";
import { logServiceDefinition } from "../../relay/server/definitions.ts";
import { Registry } from "../../relay/server/registry.ts";
import { MessageBudget } from "../../relay/server/message-budget.ts";
import { type RelayServer, startServer } from "../../relay/server/server.ts";

const logService = logServiceDefinition();
const health = healthService as ServiceDefinition;

describe("a grpc-js client of the server", () => {
  let server: RelayServer;
  let client: Client;

  before(async () => {
    server = await startServer({ port: 0 }, { routes: new Map(), clock: systemClock, log: silentLog });
    client = connect(server.port);
  });
  after(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  });

  for (const nonce of [0, 11, 2 ** 31 - 1, -1, -(2 ** 31)]) {
    test(`gets the nonce ${nonce} back`, async () => {
      const reply = await unary<{ Retval?: number }>(client, logService["HealthCheck"], { nonce });
      assert.equal(reply.Retval ?? 0, nonce);
    });
  }

  test("is told that a stream without a route is not implemented", async () => {
    const [error] = (await once(stream(client, logService["WatchAlerts"], { Filter: "all" }), "error")) as [
      ServiceError,
    ];
    assert.equal(error.code, Code.UNIMPLEMENTED);
    assert.equal(error.details, "unknown method WatchAlerts for service feeder.LogService");
  });

  for (const service of ["", "feeder.LogService"]) {
    test(`sees the health of "${service}" change`, async () => {
      const watch = stream(client, health["Watch"], { service });
      const next = async () => ((await once(watch, "data")) as [{ status: string }])[0].status;
      assert.equal(await next(), "SERVING");
      server.setServing(false);
      assert.equal(await next(), "NOT_SERVING");
      assert.deepEqual(await unary(client, health["Check"], { service }), { status: "NOT_SERVING" });
      server.setServing(true);
      assert.equal(await next(), "SERVING");
      const cancelled = once(watch, "error");
      watch.cancel();
      await cancelled;
    });
  }

  test("is told that a service has no health", async () => {
    await assert.rejects(unary(client, health["Check"], { service: "nope" }), { code: Code.NOT_FOUND });
  });
});

test("drain() tells those who watch the health, and ends them", async (t) => {
  const server = await startServer({ port: 0 }, { routes: new Map(), clock: systemClock, log: silentLog });
  t.after(() => server[Symbol.asyncDispose]());
  const client = connect(server.port);
  t.after(() => client.close());
  const watch = stream(client, health["Watch"], { service: "" });
  const seen: string[] = [];
  watch.on("data", ({ status }: { status: string }) => seen.push(status));
  await once(watch, "data");
  const ended = once(watch, "error");
  await server.drain(async () => {}, AbortSignal.timeout(60_000));
  const [error] = (await ended) as [ServiceError];
  assert.equal(error.code, Code.UNAVAILABLE);
  assert.deepEqual(seen, ["SERVING", "NOT_SERVING"]);
});

const codec = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize(bytes: Buffer) {
    if (bytes.toString() === "undecodable") throw new Error("secret");
    return bytes.toString();
  },
  responseSerialize(value: string) {
    if (value === "unencodable") throw new Error("secret");
    return Buffer.from(value);
  },
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};
const methods = {
  Unary: { path: "/test.Shapes/Unary", requestStream: false, responseStream: false, ...codec },
  Server: { path: "/test.Shapes/Server", requestStream: false, responseStream: true, ...codec },
  Client: { path: "/test.Shapes/Client", requestStream: true, responseStream: false, ...codec },
  Bidi: { path: "/test.Shapes/Bidi", requestStream: true, responseStream: true, ...codec },
};
const trailers = new Metadata();
trailers.set("x-trailer", "t");

const handlers = {
  Unary(call: ServerUnaryCall<string, string>, reply: sendUnaryData<string>) {
    if (call.request === "throw") throw new Error("secret");
    if (call.request === "fail") {
      reply({ code: Code.NOT_FOUND, details: "no such thing", metadata: trailers });
      return;
    }
    const headers = new Metadata();
    headers.set("x-echo", String(call.metadata.get("x-ask")[0] ?? ""));
    call.sendMetadata(headers);
    reply(null, call.request.toUpperCase(), trailers);
  },
  Server(call: ServerWritableStream<string, string>) {
    for (const letter of call.request) call.write(letter);
    if (call.request === "hold") {
      call.on("cancelled", () => cancelled());
      return;
    }
    if (call.request === "fail") call.emit("error", { code: Code.DATA_LOSS, details: "half way" });
    else call.end(trailers);
  },
  Client(call: ServerReadableStream<string, string>, reply: sendUnaryData<string>) {
    const parts: string[] = [];
    call.on("data", (part: string) => parts.push(part));
    call.on("end", () => reply(null, parts.join("+")));
  },
  Bidi(call: ServerDuplexStream<string, string>) {
    call.on("data", (message: string) => call.write(message.toUpperCase()));
    call.on("end", () => call.end());
  },
};
let cancelled = () => {};

describe("Registry", () => {
  const registry = new Registry({ budget: new MessageBudget(2 ** 20), clock: systemClock, log: silentLog });
  registry.addService(methods, handlers);
  const server = createServer();
  server.on("stream", (incoming, headers) => {
    const call = acceptCall(incoming, headers, systemClock);
    if (call !== undefined) registry.serve(call, headers);
  });
  let client: Client;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, resolve));
    client = connect((server.address() as AddressInfo).port);
  });
  after(async () => {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test("serves a unary method, with metadata both ways", async () => {
    const ask = new Metadata();
    ask.set("x-ask", "me");
    const call = await new Promise<{ value: string | undefined; headers: Metadata; status: StatusObject }>(
      (resolve) => {
        let value: string | undefined;
        let headers = new Metadata();
        const { path, requestSerialize, responseDeserialize } = methods.Unary;
        const made = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          "hello",
          ask,
          (_error, reply) => {
            value = reply;
          },
        );
        made.on("metadata", (metadata) => {
          headers = metadata;
        });
        made.on("status", (status) => resolve({ value, headers, status }));
      },
    );
    assert.equal(call.value, "HELLO");
    assert.deepEqual(call.headers.get("x-echo"), ["me"]);
    assert.deepEqual(call.status.metadata.get("x-trailer"), ["t"]);
  });

  test("tells a unary client the status its handler replied", async () => {
    await assert.rejects(unary(client, methods.Unary, "fail"), (error: ServiceError) => {
      assert.equal(error.code, Code.NOT_FOUND);
      assert.equal(error.details, "no such thing");
      assert.deepEqual(error.metadata.get("x-trailer"), ["t"]);
      return true;
    });
  });

  for (const [criterion, request, code] of [
    ["a handler that throws", "throw", Code.UNKNOWN],
    ["a reply that cannot be encoded", "unencodable", Code.UNKNOWN],
    ["a request that cannot be decoded", "undecodable", Code.INTERNAL],
  ] as const) {
    test(`hides the reasons of ${criterion}`, async () => {
      const method = request === "unencodable" ? { ...methods.Client, requestStream: false } : methods.Unary;
      await assert.rejects(unary(client, method, request), (error: ServiceError) => {
        assert.equal(error.code, code);
        assert.doesNotMatch(error.details, /secret/);
        return true;
      });
    });
  }

  test("serves a server stream, and its trailers", async () => {
    const call = stream(client, methods.Server, "abc");
    const ended = once(call, "status");
    const letters: unknown[] = [];
    for await (const letter of call) letters.push(letter);
    assert.deepEqual(letters, ["a", "b", "c"]);
    const [status] = (await ended) as [StatusObject];
    assert.equal(status.code, Code.OK);
    assert.deepEqual(status.metadata.get("x-trailer"), ["t"]);
  });

  test("ends a server stream with the error its handler emits, after what was written", async () => {
    const call = stream(client, methods.Server, "fail");
    const letters: string[] = [];
    call.on("data", (letter: string) => letters.push(letter));
    const [error] = (await once(call, "error")) as [ServiceError];
    assert.equal(error.code, Code.DATA_LOSS);
    assert.deepEqual(letters, ["f", "a", "i", "l"]);
  });

  test("serves a client stream", async () => {
    const { path, requestSerialize, responseDeserialize } = methods.Client;
    const reply = await new Promise<string | undefined>((resolve, reject) => {
      const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, (error, value) => {
        if (error === null) resolve(value);
        else reject(error);
      });
      for (const part of ["a", "", "c"]) call.write(part);
      call.end();
    });
    assert.equal(reply, "a++c");
  });

  test("serves a bidirectional stream, message by message", async () => {
    const { path, requestSerialize, responseDeserialize } = methods.Bidi;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    for (const message of ["a", "b", "x".repeat(200_000)]) {
      call.write(message);
      const [answer] = (await once(call, "data")) as [string];
      assert.equal(answer, message.toUpperCase());
    }
    const ended = once(call, "status");
    call.end();
    const [status] = (await ended) as [StatusObject];
    assert.equal(status.code, Code.OK);
  });

  test("tells a handler that its client cancelled", async () => {
    const call = stream(client, methods.Server, "hold");
    call.on("error", () => {});
    await once(call, "data");
    const told = new Promise<void>((resolve) => {
      cancelled = resolve;
    });
    call.cancel();
    await told;
  });
});

function connect(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure());
}

interface Method {
  readonly path: string;
  readonly requestSerialize: (value: unknown) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

function unary<Reply>(client: Client, method: unknown, request: unknown): Promise<Reply> {
  const { path, requestSerialize, responseDeserialize } = method as Method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, value) => {
      if (error === null) resolve(value as Reply);
      else reject(error);
    });
  });
}

function stream(client: Client, method: unknown, request: unknown): ClientReadableStream<unknown> {
  const { path, requestSerialize, responseDeserialize } = method as Method;
  return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
}
