import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { ControlPlane } from "../../hack/testbed/control-plane.ts";
import type { ElectionTimes } from "../../lib/kube/lease.ts";
import { eventually } from "./operator-harness.ts";

const operatorNamespace = "kubearmor-relay-system";
const operatorName = "kubearmor-relay-operator";

export const operatorUser = `system:serviceaccount:${operatorNamespace}:${operatorName}`;

export interface Identity {
  readonly kubeconfig: string;
  /** As the audit log names its token. */
  readonly credential: string;
  readonly token: string;
}

/** The rights of the operator's ServiceAccount by a token of its own; `server` is another way to the API server. */
export async function newIdentity(plane: ControlPlane, name: string, server?: string): Promise<Identity> {
  const printed = await plane.kubectl(["-n", operatorNamespace, "create", "token", operatorName, "--duration=2h"]);
  const token = printed.trim();
  const config = parse(await readFile(plane.kubeconfig, "utf8")) as {
    clusters: { cluster: object }[];
    users: { name: string; user: unknown }[];
  };
  const kubeconfig = join(plane.dir, `${name}.kubeconfig`);
  const users = config.users.map((user) => ({ name: user.name, user: { token } }));
  // No CA beside plain HTTP.
  const clusters = config.clusters.map((each) => (server === undefined ? each : { ...each, cluster: { server } }));
  await writeFile(kubeconfig, stringify({ ...config, clusters, users }));
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { readonly jti: string };
  return { kubeconfig, credential: `JTI=${claims.jti}`, token };
}

/** An election's times where the defaults only cost time; not so short that a busy machine loses the lease. */
export const shortTimes: ElectionTimes = { leaseDurationMs: 5_000, renewDeadlineMs: 4_000, retryPeriodMs: 500 };

export const shortTimesFlags: readonly string[] = [
  `--leader-elect-lease-duration=${shortTimes.leaseDurationMs}ms`,
  `--leader-elect-renew-deadline=${shortTimes.renewDeadlineMs}ms`,
  `--leader-elect-retry-period=${shortTimes.retryPeriodMs}ms`,
];

/** The program in a process of its own, that is killed at the end if it still runs. */
export interface OperatorChild extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The exit status; null after a signal. */
  readonly exited: Promise<number | null>;
  /** What it has logged so far. */
  log(): string;
  /** Its first line with this message, as soon as there is one. */
  logged(message: string): Promise<Readonly<Record<string, unknown>>>;
}

const program = new URL("../../operator/main.ts", import.meta.url).pathname;

export function startChild(kubeconfig: string, flags: readonly string[] = [], main = program): OperatorChild {
  const own = [
    `--kubeconfig=${kubeconfig}`,
    "--leader-elect",
    `--leader-elect-namespace=${operatorNamespace}`,
    "--http-port=0",
    "--relay-image=localhost/relay:test",
  ];
  const child = spawn(process.execPath, [main, ...own, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const exited = once(child, "close").then(([status]) => status as number | null);
  const find = (message: string) => {
    const line = text.split("\n").find((each) => each.includes(`"message":"${message}"`));
    return line?.endsWith("}") ? (JSON.parse(line) as Readonly<Record<string, unknown>>) : undefined;
  };
  return {
    process: child,
    exited,
    log: () => text,
    logged: (message) => eventually(`it logs "${message}"`, async () => find(message)),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}
