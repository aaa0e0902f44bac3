import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from "node:http2";
import { status as Code } from "@grpc/grpc-js";
import type { FramingFault } from "../wire/frame-cutter.ts";

/** How a call to an agent ended. */
export type StreamEnd =
  | { readonly kind: "status"; readonly code: Code; readonly message: string }
  /** The agent does not serve it: the call never was in the hands of a method. */
  | { readonly kind: "refused"; readonly code: Code | undefined; readonly message: string }
  | { readonly kind: "framing"; readonly fault: FramingFault; readonly message: string }
  /** Without a status: the connection went away, or the agent reset the stream. */
  | { readonly kind: "broken"; readonly message: string };

export type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

/**
 * Statuses that a server answers before it calls the method. INTERNAL is none of them: grpc-go sends its headers with the
 * first event, so the status of an idle stream whose first event it cannot encode comes without headers before it.
 */
const refusals: ReadonlySet<Code> = new Set([Code.UNIMPLEMENTED, Code.UNAUTHENTICATED, Code.PERMISSION_DENIED]);

export function openCall(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-accept-encoding": "identity",
    "user-agent": "kubearmor-relay",
    ...headers,
  });
}

/** The end that the first headers of a response already are; undefined = the response goes on. */
export function endOfResponse(headers: ResponseHeaders): StreamEnd | undefined {
  const end = endOfTrailers(headers);
  if (end?.kind === "status" && refusals.has(end.code)) return { ...end, kind: "refused" };
  if (end !== undefined) return end;
  const httpStatus = headers[":status"];
  return httpStatus === 200 ? undefined : { kind: "refused", code: undefined, message: `HTTP status ${httpStatus}` };
}

/** The status in the trailers of a response; undefined = there is none. */
export function endOfTrailers(headers: ResponseHeaders): StreamEnd | undefined {
  const grpcStatus = headers["grpc-status"];
  if (typeof grpcStatus !== "string") return undefined;
  const code = Number(grpcStatus) as Code;
  const message = headers["grpc-message"];
  return {
    kind: "status",
    code,
    message: `${Code[code] ?? grpcStatus} ${typeof message === "string" ? message : ""}`.trimEnd(),
  };
}
