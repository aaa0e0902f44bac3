/** https://www.rfc-editor.org/rfc/rfc9113#section-7 */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

export type ErrorName = keyof typeof ErrorCode;

/** `CANCEL (8)`; a code that no standard names is its number. */
export function errorCodeText(code: number): string {
  for (const [name, known] of Object.entries(ErrorCode)) {
    if (known === code) return `${name} (${code})`;
  }
  return String(code);
}

/** What the peer did ends the whole connection; it is told so in a GOAWAY frame. */
export class ConnectionError extends Error {
  readonly code: number;
  constructor(name: ErrorName, message: string) {
    super(`${message} (${name})`);
    this.name = "ConnectionError";
    this.code = ErrorCode[name];
  }
}

/** What the peer did ends one stream; it is told so in an RST_STREAM frame. */
export class StreamError extends Error {
  readonly code: number;
  constructor(name: ErrorName, message: string) {
    super(`${message} (${name})`);
    this.name = "StreamError";
    this.code = ErrorCode[name];
  }
}
