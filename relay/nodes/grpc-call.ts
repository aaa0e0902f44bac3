import { status as Code } from "@grpc/grpc-js";
import type { StreamClose } from "../http2/client-stream.ts";
import { ErrorCode, errorCodeText } from "../http2/errors.ts";
import type { Field } from "../http2/hpack-static-table.ts";
import type { FieldMap } from "../http2/response-fields.ts";
import type { FramingFault } from "../wire/frame-cutter.ts";

/** How a call to an agent ended. */
export type StreamEnd =
  | { readonly kind: "status"; readonly code: Code; readonly message: string }
  /** The agent does not serve it: the call never was in the hands of a method. */
  | { readonly kind: "refused"; readonly code: Code | undefined; readonly message: string }
  | { readonly kind: "framing"; readonly fault: FramingFault; readonly message: string }
  /** Without a status: the connection went away, or the agent reset the stream. */
  | { readonly kind: "broken"; readonly message: string };

/** Whom the calls of a connection are addressed to. */
export interface CallTarget {
  readonly scheme: string;
  readonly authority: string;
}

/**
 * Statuses that a server answers before it calls the method. INTERNAL is none of them: grpc-go sends its headers with the
 * first event, so the status of an idle stream whose first event it cannot encode comes without headers before it.
 */
const refusals: ReadonlySet<Code> = new Set([Code.UNIMPLEMENTED, Code.UNAUTHENTICATED, Code.PERMISSION_DENIED]);

/** Of what an agent says, in UTF-16 units. */
const maxTextLength = 1024;

/** The header of a call. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function callFields({ scheme, authority }: CallTarget, path: string, timeoutMs?: number): readonly Field[] {
  const fields: Field[] = [
    [":method", "POST"],
    [":scheme", scheme],
    [":path", path],
    [":authority", authority],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ["grpc-accept-encoding", "identity"],
    ["user-agent", "kubearmor-relay"],
  ];
  if (timeoutMs !== undefined) fields.push(["grpc-timeout", `${Math.ceil(timeoutMs)}m`]);
  return fields;
}

/** The end that the head of a response already is; undefined = the response goes on. */
export function endOfResponse(head: FieldMap): StreamEnd | undefined {
  const end = endOfTrailers(head);
  if (end?.kind === "status" && refusals.has(end.code)) return { ...end, kind: "refused" };
  if (end !== undefined) return end;
  const httpStatus = head.get(":status");
  if (httpStatus !== "200") return { kind: "refused", code: undefined, message: `HTTP status ${httpStatus}` };
  const contentType = head.get("content-type");
  if (contentType === undefined || /^application\/grpc([+;]|$)/.test(contentType)) return undefined;
  return { kind: "refused", code: undefined, message: textOf(`HTTP status 200 with content of type ${contentType}`) };
}

/** The status in the trailers of a response; undefined = there is none. */
export function endOfTrailers(trailers: FieldMap): StreamEnd | undefined {
  const grpcStatus = trailers.get("grpc-status");
  if (grpcStatus === undefined) return undefined;
  const code = Number(grpcStatus) as Code;
  const message = decodeMessage(trailers.get("grpc-message") ?? "");
  return { kind: "status", code, message: textOf(`${Code[code] ?? grpcStatus} ${message}`.trimEnd()) };
}

/** UTF-8, of which all but visible ASCII is written as %XX. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
function decodeMessage(encoded: string): string {
  const bytes = encoded.replaceAll(/%[\da-f]{2}/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** What an agent says, for logs and the status page: of bearable length, and in one line. */
function textOf(said: string): string {
  return said
    .slice(0, maxTextLength)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, " ");
}

/** What a stream that closed without a status has come to. */
export function endOfStream(close: StreamClose): StreamEnd {
  switch (close.kind) {
    case "complete":
      return { kind: "broken", message: "The response ended without a status" };
    case "reset": {
      const message = `Stream reset by the agent: ${errorCodeText(close.code)}`;
      const isRefused = close.code === ErrorCode.REFUSED_STREAM;
      return isRefused ? { kind: "refused", code: undefined, message } : { kind: "broken", message };
    }
    case "unprocessed":
      return { kind: "refused", code: undefined, message: "The agent ended the connection before it took the call" };
    case "failed":
      return { kind: "broken", message: close.error.message };
    case "cancelled":
      return { kind: "broken", message: "Cancelled" };
    case "lost":
      return { kind: "broken", message: close.reason.message };
  }
}
