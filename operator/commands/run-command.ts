import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { createKubeClient } from "../../lib/kube/client.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import { type Log, errorText } from "../../lib/process/log.ts";
import type { Environment } from "../config.ts";
import { diff } from "./diff.ts";
import type { OneTimeCommand } from "./options.ts";
import { type ReadRelays, readRelays } from "./read-relays.ts";
import { render } from "./render.ts";

export interface CommandDeps {
  readonly env: Environment;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly print: (text: string) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** As diff(1): 0 = done, and for `diff` nothing differs; 1 = something differs; 2 = it could not be done. */
export type ExitCode = 0 | 1 | 2;

export async function runCommand(command: OneTimeCommand, deps: CommandDeps): Promise<ExitCode> {
  try {
    const read = await readInput(command.file, deps);
    if (read.kind === "invalid") {
      for (const error of read.errors) deps.log.error(`Cannot ${command.kind} ${command.file}: ${error}`);
      return 2;
    }
    for (const warning of read.warnings) deps.log.warn(warning);
    const options = { defaultImage: command.relayImage };
    if (command.kind === "render") {
      deps.print(render(read.relays, options));
      return 0;
    }
    const cluster = loadCluster(command, { env: deps.env });
    await using client = createKubeClient(cluster, { log: deps.log, userAgent: "kubearmor-relay-operator/diff" });
    const lines: string[] = [];
    for (const relay of read.relays) lines.push(...(await diff(relay, options, client, deps.signal)));
    if (lines.length > 0) deps.print(`${lines.join("\n")}\n`);
    return lines.length > 0 ? 1 : 0;
  } catch (error) {
    deps.log.error(`Cannot ${command.kind} ${command.file}: ${errorText(error)}`);
    return 2;
  }
}

async function readInput(file: string, { stdin }: CommandDeps): Promise<ReadRelays> {
  return readRelays(file === "-" ? await text(stdin) : await readFile(file, "utf8"));
}
