import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { status as Code } from "@grpc/grpc-js";

export { Code };

/** How a call ends: a gRPC status code and a text for whoever debugs the client. */
export interface Status {
  readonly code: Code;
  readonly message: string;
}

export const ok: Status = { code: Code.OK, message: "" };

/** A failure with the status its caller is told. Anything else that is thrown becomes UNKNOWN, without its details. */
export class StatusError extends Error implements Status {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StatusError";
    this.code = code;
  }
}

/**
 * Ends the response with a gRPC status. Without response headers so far it is "trailers-only": one HEADERS frame with
 * END_STREAM (in which `headers` may set more fields and another `:status`). Otherwise trailers follow what is written;
 * for that the response must have begun with `respondWithTrailers`.
 * A client that is still sending is then told to stop (RST_STREAM NO_ERROR, RFC 9113 section 8.1).
 */
export function endWithStatus(stream: ServerHttp2Stream, status: Status, headers: OutgoingHttpHeaders = {}): void {
  if (stream.destroyed || stream.closed) return;
  const fields = { ...statusFields(status), ...headers };
  // Of a HEAD request Node has ended the response from the start, so that says nothing yet.
  if (!stream.headersSent) {
    stream.respond({ ...responseHeaders, ...fields }, { endStream: true });
    stopRequest(stream);
    return;
  }
  if (stream.writableEnded) return;
  stream.once("wantTrailers", () => {
    stream.sendTrailers(fields);
    // Node is in the middle of sending: a reset that is asked for now would overtake the trailers.
    setImmediate(() => stopRequest(stream));
  });
  stream.end();
}

/** Sends the response headers of a call that will end with trailers. */
export function respondWithTrailers(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders = {}): void {
  stream.respond({ ...responseHeaders, ...headers }, { waitForTrailers: true });
}

const responseHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc" };

function statusFields({ code, message }: Status): OutgoingHttpHeaders {
  return message === ""
    ? { "grpc-status": String(code) }
    : { "grpc-status": String(code), "grpc-message": encodeMessage(message) };
}

/**
 * Percent-encodes all but printable ASCII without "%".
 * Source: gRPC over HTTP/2, "Status-Message" (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
 */
export function encodeMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message;
  let encoded = "";
  for (const byte of Buffer.from(message)) {
    const isLiteral = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isLiteral ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

function stopRequest(stream: ServerHttp2Stream): void {
  if (stream.readableEnded) return;
  // Data of a request nobody reads would hold its stream open.
  stream.resume();
  if (!stream.endAfterHeaders) stream.close(constants.NGHTTP2_NO_ERROR);
}
