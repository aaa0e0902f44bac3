import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { CallHandler } from "../../relay/server/call.ts";
import { type RelayServer, startServer } from "../../relay/server/server.ts";
import { ok, respondWithTrailers } from "../../relay/server/status.ts";
import { flag, frameType, RawConnection } from "./raw-http2.ts";

interface Request {
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** DATA frames; none = END_STREAM on HEADERS. */
  readonly body?: readonly Buffer[];
  /** The request never ends. */
  readonly open?: true;
}

interface Answer {
  readonly httpStatus?: number;
  readonly code: number;
  readonly message?: RegExp;
  readonly headers?: Readonly<Record<string, string>>;
  /** What arrives as the response's body. */
  readonly body?: string;
}

const health = "/feeder.LogService/HealthCheck";
const one = frame(Buffer.from([0x08, 0x0b]));
const oneByteAtATime = [...one].map((byte) => Buffer.from([byte]));

const cases: Record<string, { request: Request; answer: Answer }> = {
  "a nonce is echoed": { request: { body: [one] }, answer: { code: 0, body: "0000000002080b" } },
  "a request split over DATA frames works": {
    request: { body: oneByteAtATime },
    answer: { code: 0, body: "0000000002080b" },
  },
  "an empty message is the nonce 0": {
    request: { body: [frame(Buffer.alloc(0))] },
    answer: { code: 0, body: "0000000000" },
  },
  "END_STREAM on HEADERS is a call without its message": { request: {}, answer: { code: 13 } },
  "an empty body is a call without its message": { request: { body: [Buffer.alloc(0)] }, answer: { code: 13 } },
  "two messages where one is due": { request: { body: [one, one] }, answer: { code: 13 } },
  "two messages in one DATA frame": { request: { body: [Buffer.concat([one, one])] }, answer: { code: 13 } },
  "a body shorter than its frame": { request: { body: [one.subarray(0, -1)] }, answer: { code: 2 } },
  "a body shorter than a prefix": { request: { body: [one.subarray(0, 3)] }, answer: { code: 2 } },
  "bytes that are no NonceMessage": { request: { body: [frame(Buffer.from([0x08]))] }, answer: { code: 13 } },
  "the compressed flag without an encoding": {
    request: { body: [Buffer.from([1, 0, 0, 0, 0])] },
    answer: { code: 13 },
  },
  "a frame over 4 MiB, as soon as its prefix is there": {
    request: { body: [Buffer.from([0, 0, 0x40, 0, 1])], open: true },
    answer: { code: 8, message: /4194305 vs\. 4194304/ },
  },
  gzip: {
    request: { headers: { "grpc-encoding": "gzip" }, body: [one] },
    answer: { code: 12, headers: { "grpc-accept-encoding": "identity" } },
  },
  "identity encoding": {
    request: { headers: { "grpc-encoding": "identity" }, body: [one] },
    answer: { code: 0, body: "0000000002080b" },
  },
  "a content type that is not gRPC": {
    request: { headers: { "content-type": "application/json" }, body: [one] },
    answer: { httpStatus: 415, code: 3 },
  },
  "a content type that is not gRPC, while the request goes on": {
    request: { headers: { "content-type": "application/json" }, open: true },
    answer: { httpStatus: 415, code: 3 },
  },
  GET: { request: { headers: { ":method": "GET" } }, answer: { httpStatus: 405, code: 13 } },
  HEAD: { request: { headers: { ":method": "HEAD" } }, answer: { httpStatus: 405, code: 13 } },
  "a malformed grpc-timeout": {
    request: { headers: { "grpc-timeout": "1 hour" }, body: [one] },
    answer: { httpStatus: 400, code: 13 },
  },
  "a timeout of zero": { request: { headers: { "grpc-timeout": "0m" }, body: [one] }, answer: { code: 4 } },
  "the longest timeout there is": {
    request: { headers: { "grpc-timeout": "99999999H" }, body: [one] },
    answer: { code: 0, body: "0000000002080b" },
  },
  "an unknown method": {
    request: { path: "/feeder.LogService/Nope", body: [one] },
    answer: { code: 12, message: /^unknown method Nope for service feeder\.LogService$/ },
  },
  "an unknown service": {
    request: { path: "/feeder.Nope/HealthCheck", body: [one] },
    answer: { code: 12, message: /^unknown service feeder\.Nope$/ },
  },
  "a path that is no method": { request: { path: "/", body: [one] }, answer: { code: 12 } },
  "a method whose stream is refused": { request: { path: "/test/End", body: [one] }, answer: { code: 0 } },
  "a stream to a client that has half-closed": {
    request: { path: "/test/Echo", body: [one] },
    answer: { code: 0, body: "080b" },
  },
  "a hot method with two messages": { request: { path: "/test/Echo", body: [one, one] }, answer: { code: 13 } },
  "a hot method whose handler throws tells nothing of it": {
    request: { path: "/test/Throw", body: [one] },
    answer: { code: 2, message: /^The call failed$/ },
  },
  "a hot method that goes on until its deadline": {
    request: { path: "/test/Forever", headers: { "grpc-timeout": "20m" }, body: [one] },
    answer: { code: 4, body: "" },
  },
  "a deadline while the request goes on": {
    request: { path: "/test/Forever", headers: { "grpc-timeout": "20m" }, open: true },
    answer: { code: 4 },
  },
};

describe("the server", () => {
  let server: RelayServer;
  let session: ClientHttp2Session;

  before(async () => {
    server = await startServer({ port: 0 }, { routes, clock: systemClock, log: silentLog });
    session = connect(`http://127.0.0.1:${server.port}`);
    await once(session, "connect");
  });
  after(async () => {
    session.destroy();
    await server[Symbol.asyncDispose]();
  });

  for (const [criterion, { request, answer }] of Object.entries(cases)) {
    test(`answers ${criterion}`, async () => {
      const got = await exchange(session, request);
      const status = got.trailers ?? got.headers;
      assert.equal(status["grpc-status"], String(answer.code));
      assert.equal(got.headers[":status"], answer.httpStatus ?? 200);
      assert.equal(got.headers["content-type"], "application/grpc");
      if (answer.message !== undefined) assert.match(String(status["grpc-message"]), answer.message);
      for (const [name, value] of Object.entries(answer.headers ?? {})) assert.equal(got.headers[name], value);
      assert.equal(got.body.toString("hex"), answer.body ?? "");
      assert.equal(got.isTrailersOnly, answer.body === undefined);
      // NO_ERROR at most: a client that still sends is told to stop, not that something broke.
      assert.equal(got.rstCode, 0);
    });
  }

  test("is as well afterwards as before", async () => {
    assert.equal((await exchange(session, { body: [one] })).trailers?.["grpc-status"], "0");
  });

  for (const isDone of [true, false]) {
    test(`refuses with one HEADERS frame and END_STREAM, the request ${isDone ? "over" : "going on"}`, async () => {
      using connection = await RawConnection.connect(server.port);
      connection.greet().call(1, "/feeder.LogService/Nope", isDone);
      const answer = await connection.frame(({ streamId }) => streamId === 1);
      assert.equal(answer.type, frameType.headers);
      assert.equal(answer.flags & flag.endStream, flag.endStream);
      // Of this stream, frames up to the next answer: a second call marks the end of what came for the first.
      connection.call(3, "/feeder.LogService/Nope", true);
      await connection.frame(({ streamId }) => streamId === 3);
      const rest = connection.frames.filter(({ streamId }) => streamId === 1).slice(1);
      const stop = { type: frameType.rstStream, flags: 0, streamId: 1, payload: Buffer.alloc(4) };
      assert.deepEqual(rest, isDone ? [] : [stop]);
    });
  }

  test("ends a refused stream with one HEADERS frame and END_STREAM", async () => {
    using connection = await RawConnection.connect(server.port);
    connection.greet().call(1, "/test/End").data(1, one, true);
    const answer = await connection.frame(({ streamId }) => streamId === 1);
    assert.equal(answer.type, frameType.headers);
    assert.equal(answer.flags & flag.endStream, flag.endStream);
  });

  test("cuts a stream at its deadline although the client takes no data", async () => {
    using connection = await RawConnection.connect(server.port);
    connection.greet().call(1, "/test/Flood", false, { "grpc-timeout": "20m" }).data(1, one, true);
    const reset = await connection.frame(({ type, streamId }) => streamId === 1 && type === frameType.rstStream);
    assert.equal(reset.payload.readUInt32BE(0), 8);
  });
});

const routes = new Map<string, CallHandler>([
  ["/test/End", (call) => call.end(ok)],
  [
    "/test/Echo",
    (call, request) => {
      respondWithTrailers(call.stream);
      call.stream.write(request);
      call.end(ok);
    },
  ],
  [
    "/test/Throw",
    () => {
      throw new Error("secret");
    },
  ],
  ["/test/Forever", (call) => respondWithTrailers(call.stream)],
  [
    "/test/Flood",
    (call) => {
      respondWithTrailers(call.stream);
      call.stream.write(Buffer.alloc(1024 * 1024));
    },
  ],
]);

interface Exchange {
  readonly headers: IncomingHttpHeaders;
  readonly isTrailersOnly: boolean;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly body: Buffer;
  readonly rstCode: number;
}

async function exchange(session: ClientHttp2Session, request: Request): Promise<Exchange> {
  const headers = {
    ":method": "POST",
    ":path": request.path ?? health,
    "content-type": "application/grpc",
    ...request.headers,
  };
  const stream = session.request(headers, { endStream: request.body === undefined && request.open !== true });
  let response: IncomingHttpHeaders = {};
  let isTrailersOnly = false;
  let trailers: IncomingHttpHeaders | undefined;
  const body: Buffer[] = [];
  stream.on("response", (fields, flags) => {
    response = fields;
    isTrailersOnly = (flags & flag.endStream) !== 0;
  });
  stream.on("trailers", (fields: IncomingHttpHeaders) => {
    trailers = fields;
  });
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  const closed = once(stream, "close");
  for (const chunk of request.body ?? []) {
    // Once it is on its way the next one is a DATA frame of its own. A stream that is over by then fails the write.
    if (!stream.destroyed) await new Promise((resolve) => stream.write(chunk, resolve));
  }
  if (request.body !== undefined && request.open !== true) stream.end();
  await closed;
  return { headers: response, isTrailersOnly, trailers, body: Buffer.concat(body), rstCode: stream.rstCode ?? 0 };
}

function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
