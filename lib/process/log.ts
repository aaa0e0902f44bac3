import winston from "winston";

export type LogLevel = "error" | "warn" | "info" | "debug";

/** Structured fields of a line. Never events, payloads or secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What code that logs needs: a constant message and its fields. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A log whose lines all carry these fields too. */
  with(fields: LogFields): Log;
}

/**
 * JSON lines on stderr: stdout belongs to events, so that a log collector can tell the two apart.
 * `error` = someone must act, `warn` = degraded, `info` = a rare change of state, `debug` = per request.
 */
export function createLog(level: LogLevel): Log {
  const logger = winston.createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Console({ stderrLevels: ["error", "warn", "info", "debug"] })],
  });
  return wrap(logger);
}

/** A log that says nothing, for tests and tools. */
export const silentLog: Log = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  with: () => silentLog,
};

function wrap(logger: winston.Logger): Log {
  const line = (level: LogLevel) => (message: string, fields?: LogFields) => {
    logger.log(level, message, fields === undefined ? {} : plain(fields));
  };
  return {
    error: line("error"),
    warn: line("warn"),
    info: line("info"),
    debug: line("debug"),
    with: (fields) => wrap(logger.child(plain(fields))),
  };
}

/** Errors become their message and that of their causes: JSON.stringify would print `{}`. */
function plain(fields: LogFields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) out[key] = value instanceof Error ? errorText(value) : value;
  return out;
}

/** The message of an error and of its causes, outermost first. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`;
}
