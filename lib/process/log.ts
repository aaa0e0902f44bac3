import winston from "winston";

/** The most urgent first. */
export const logLevels = ["error", "warn", "info", "debug"] as const;

export type LogLevel = (typeof logLevels)[number];

export function isLogLevel(text: string): text is LogLevel {
  return (logLevels as readonly string[]).includes(text);
}

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

/** The log of a program, whose level can change while it runs; that of the logs made by `with` changes along. */
export interface ProgramLog extends Log {
  setLevel(level: LogLevel): void;
}

/**
 * JSON lines on stderr: stdout belongs to events, so that a log collector can tell the two apart.
 * `error` = someone must act, `warn` = degraded, `info` = a rare change of state, `debug` = per request.
 */
export function createLog(level: LogLevel): ProgramLog {
  const logger = winston.createLogger({
    level,
    levels: Object.fromEntries(logLevels.map((name, index) => [name, index])),
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Console({ stderrLevels: [...logLevels] })],
  });
  return {
    ...wrap(logger),
    setLevel: (next) => {
      logger.level = next;
    },
  };
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
