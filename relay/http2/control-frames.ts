import { ConnectionError } from "./errors.ts";
import { maxStreamId, maxWindowBytes } from "./frame.ts";

/** The frames of fixed shape: each function says what a frame holds, and @throws {ConnectionError} when it is out of shape. */

export interface Goaway {
  /** The last of our streams that the peer takes. */
  readonly lastTakenId: number;
  readonly code: number;
}

export function readGoaway(streamId: number, payload: Buffer): Goaway {
  requireNoStream("GOAWAY", streamId);
  if (payload.length < 8) throw new ConnectionError("FRAME_SIZE_ERROR", `GOAWAY frame of ${payload.length} bytes`);
  return { lastTakenId: payload.readUInt32BE(0) & maxStreamId, code: payload.readUInt32BE(4) };
}

/** The code of an RST_STREAM frame. */
export function readReset(payload: Buffer): number {
  requireLength("RST_STREAM", payload, 4);
  return payload.readUInt32BE();
}

/** The increment of a WINDOW_UPDATE frame, in bytes. */
export function readWindowUpdate(payload: Buffer): number {
  requireLength("WINDOW_UPDATE", payload, 4);
  return payload.readUInt32BE() & maxWindowBytes;
}

export function checkPing(streamId: number, payload: Buffer): void {
  requireNoStream("PING", streamId);
  requireLength("PING", payload, 8);
}

/** Priorities mean nothing any more, but have a shape. */
export function checkPriority(streamId: number, payload: Buffer): void {
  if (streamId === 0) throw new ConnectionError("PROTOCOL_ERROR", "PRIORITY frame of no stream");
  requireLength("PRIORITY", payload, 5);
}

export function checkSettings(streamId: number, isAck: boolean, payload: Buffer): void {
  requireNoStream("SETTINGS", streamId);
  if (isAck) requireLength("acknowledging SETTINGS", payload, 0);
}

function requireLength(name: string, payload: Buffer, length: number): void {
  if (payload.length === length) return;
  throw new ConnectionError("FRAME_SIZE_ERROR", `${name} frame of ${payload.length} bytes`);
}

function requireNoStream(name: string, streamId: number): void {
  if (streamId === 0) return;
  throw new ConnectionError("PROTOCOL_ERROR", `${name} frame on stream ${streamId}`);
}
