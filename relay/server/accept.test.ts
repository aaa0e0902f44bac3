import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http2";
import { test } from "node:test";
import { checkHeaders } from "./accept.ts";
import { Code } from "./status.ts";

const call = { ":method": "POST", "content-type": "application/grpc" };

/** Names, values and 32 bytes a field. */
const sizeOfCall = 7 + 4 + 32 + 12 + 16 + 32;

const accepted: Record<string, IncomingHttpHeaders> = {
  "application/grpc": call,
  "application/grpc+proto": { ...call, "content-type": "application/grpc+proto" },
  "a content type with parameters": { ...call, "content-type": "application/grpc; charset=utf-8" },
  "identity encoding": { ...call, "grpc-encoding": "identity" },
  "a timeout": { ...call, "grpc-timeout": "1S" },
  "headers of 16 KiB": { ...call, ...padding(16 * 1024 - sizeOfCall) },
};

for (const [criterion, headers] of Object.entries(accepted)) {
  test(`checkHeaders() accepts ${criterion}`, () => assert.equal(checkHeaders(headers), undefined));
}

const refused: Record<string, { headers: IncomingHttpHeaders; code: Code; httpStatus?: number }> = {
  "no content type": { headers: { ":method": "POST" }, code: Code.INVALID_ARGUMENT, httpStatus: 415 },
  "grpc-web": {
    headers: { ...call, "content-type": "application/grpc-web" },
    code: Code.INVALID_ARGUMENT,
    httpStatus: 415,
  },
  "another codec": {
    headers: { ...call, "content-type": "application/grpc+json" },
    code: Code.INVALID_ARGUMENT,
    httpStatus: 415,
  },
  "a page request": { headers: { ":method": "GET" }, code: Code.INVALID_ARGUMENT, httpStatus: 415 },
  GET: { headers: { ...call, ":method": "GET" }, code: Code.INTERNAL, httpStatus: 405 },
  "a malformed timeout": { headers: { ...call, "grpc-timeout": "soon" }, code: Code.INTERNAL, httpStatus: 400 },
  "headers over 16 KiB": {
    headers: { ...call, ...padding(16 * 1024 - sizeOfCall + 1) },
    code: Code.RESOURCE_EXHAUSTED,
  },
  gzip: { headers: { ...call, "grpc-encoding": "gzip" }, code: Code.UNIMPLEMENTED },
};

for (const [criterion, { headers, code, httpStatus }] of Object.entries(refused)) {
  test(`checkHeaders() refuses ${criterion}`, () => {
    const refusal = checkHeaders(headers);
    assert.equal(refusal?.status.code, code);
    assert.equal(refusal?.headers?.[":status"], httpStatus);
  });
}

/** A field of that size. */
function padding(bytes: number): IncomingHttpHeaders {
  return { "x-padding": "x".repeat(bytes - "x-padding".length - 32) };
}
