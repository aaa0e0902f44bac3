/** Frames of HTTP/2: https://www.rfc-editor.org/rfc/rfc9113#section-6 */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** END_STREAM and ACK are the same bit, of different frames. */
export const Flag = { endStream: 0x01, ack: 0x01, endHeaders: 0x04, padded: 0x08, priority: 0x20 } as const;

/** What a client says first, before its SETTINGS. */
export const clientPreface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Length (3 bytes), type, flags, stream (4 bytes, of which the first bit is reserved). */
export const frameHeaderBytes = 9;

/** What either side may send before it was told otherwise; we never tell otherwise. */
export const maxFrameBytes = 16_384;

export const maxStreamId = 0x7fff_ffff;

/** The largest flow-control window, and so the largest increment of one. */
export const maxWindowBytes = 0x7fff_ffff;

/** A frame as it goes over the wire. */
export function encodeFrame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame.writeUInt8(type, 3);
  frame.writeUInt8(flags, 4);
  frame.writeUInt32BE(streamId, 5);
  frame.set(payload, frameHeaderBytes);
  return frame;
}

export function encodeRstStream(streamId: number, code: number): Buffer {
  return encodeFrame(FrameType.rstStream, 0, streamId, uint32(code));
}

/** @param streamId 0 = the connection's window */
export function encodeWindowUpdate(streamId: number, incrementBytes: number): Buffer {
  return encodeFrame(FrameType.windowUpdate, 0, streamId, uint32(incrementBytes));
}

/** The GOAWAY of a client: it has taken no stream of the server's, which may open none. */
export function encodeGoaway(code: number, text: string): Buffer {
  return encodeFrame(FrameType.goaway, 0, 0, Buffer.concat([uint32(0), uint32(code), Buffer.from(text)]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
