import { spawn } from "node:child_process";
import { childEnv } from "./config.ts";

export interface RunOptions {
  readonly cwd?: string;
  /** On top of this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Called for every line of stderr as it comes. */
  readonly onErrorLine?: (line: string) => void;
}

/** The command ended with a status other than 0, or could not be started. */
export class CommandError extends Error {
  readonly status: number | undefined;
  readonly stderr: string;

  constructor(command: readonly string[], status: number | undefined, stderr: string, cause?: unknown) {
    const tail = stderr.trim().split("\n").slice(-12).join("\n");
    const shown = command.join(" ").slice(0, 300);
    super(
      `Cannot run "${shown}": ${status === undefined ? "it did not start" : `status ${status}`}${tail && `\n${tail}`}`,
      {
        cause,
      },
    );
    this.status = status;
    this.stderr = stderr;
  }
}

/**
 * Runs a program to its end and returns what it wrote to stdout.
 * @throws CommandError with the end of stderr
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const words = [command, ...args];
    const child = spawn(command, [...args], {
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.signal !== undefined && { signal: options.signal }),
      env: childEnv(options.env ?? {}),
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const output: Buffer[] = [];
    let stderr = "";
    let line = "";
    child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-16_384);
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const whole of lines) options.onErrorLine?.(whole);
    });
    child.once("error", (cause) => reject(new CommandError(words, undefined, stderr, cause)));
    child.once("close", (status, signal) => {
      if (status === 0) resolve(Buffer.concat(output).toString());
      else
        reject(
          new CommandError(words, status ?? undefined, signal === null ? stderr : `${stderr}\nended by ${signal}`),
        );
    });
    // A program may end without reading its input; its status tells what that means.
    child.stdin?.on("error", () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}
