import { ConnectionError } from "./errors.ts";
import { maxFrameBytes, maxWindowBytes } from "./frame.ts";

/** https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2 */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** What the peer wants of us; the rest of its settings do not concern a client that sends little. */
export interface PeerSettings {
  readonly maxConcurrentStreams: number;
  readonly initialWindowBytes: number;
}

/** What holds before the peer's first SETTINGS. */
export const initialPeerSettings: PeerSettings = {
  maxConcurrentStreams: Number.POSITIVE_INFINITY,
  initialWindowBytes: 65_535,
};

const entryBytes = 6;

export function encodeSettings(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * entryBytes);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, index * entryBytes);
    payload.writeUInt32BE(value, index * entryBytes + 2);
  }
  return payload;
}

/** The settings that hold after a SETTINGS frame. @throws {ConnectionError} for values that no server may send */
export function applySettings(before: PeerSettings, payload: Buffer): PeerSettings {
  if (payload.length % entryBytes !== 0) {
    throw new ConnectionError("FRAME_SIZE_ERROR", `SETTINGS frame of ${payload.length} bytes`);
  }
  let { maxConcurrentStreams, initialWindowBytes } = before;
  for (let position = 0; position < payload.length; position += entryBytes) {
    const id = payload.readUInt16BE(position);
    const value = payload.readUInt32BE(position + 2);
    switch (id) {
      case Setting.enablePush:
        // A server does not push to itself: 1 is not its to say.
        if (value !== 0) throw new ConnectionError("PROTOCOL_ERROR", `SETTINGS_ENABLE_PUSH of ${value} from a server`);
        break;
      case Setting.maxConcurrentStreams:
        maxConcurrentStreams = value;
        break;
      case Setting.initialWindowSize:
        if (value > maxWindowBytes) {
          throw new ConnectionError("FLOW_CONTROL_ERROR", `SETTINGS_INITIAL_WINDOW_SIZE of ${value}`);
        }
        initialWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        if (value < maxFrameBytes || value > 0xff_ffff) {
          throw new ConnectionError("PROTOCOL_ERROR", `SETTINGS_MAX_FRAME_SIZE of ${value}`);
        }
        break;
      default:
      // Sizes of headers that ours never come near, and what is not known.
    }
  }
  return { maxConcurrentStreams, initialWindowBytes };
}
