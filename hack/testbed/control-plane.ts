import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePrograms } from "./build.ts";
import { testbedPaths } from "./config.ts";
import { createKubectl, type Kubectl, testbedKubectl } from "./kubectl.ts";
import { startKwok } from "./kwok.ts";
import { consoleProgressDeps, startProgress } from "./progress.ts";
import { startTethered } from "./tether.ts";

export interface ControlPlaneOptions {
  /** Files or folders of CRDs, established before the garbage collector starts: it finds later ones only every 30 s. */
  readonly crds?: readonly string[];
  /** Write every request, without bodies, to `auditLog`. Default false. */
  readonly audit?: boolean;
  /** Play the kubelets of fake nodes, see `addFakeNodes`. Default false. */
  readonly kwok?: boolean;
  readonly apiserverArgs?: readonly string[];
  readonly controllerManagerArgs?: readonly string[];
}

/** etcd, kube-apiserver, kube-controller-manager and kube-scheduler of its own on loopback; nobody else's, no root. */
export interface ControlPlane extends AsyncDisposable {
  /** Removed at the end. */
  readonly dir: string;
  /** Of the cluster's administrator. */
  readonly kubeconfig: string;
  /** JSON lines of audit.k8s.io/v1 events, with `audit: true`. */
  readonly auditLog: string;
  /** Folder of the testbed's programs. */
  readonly bin: string;
  readonly kubectl: Kubectl;
}

const START_TIMEOUT_MS = 120_000;

const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};

/**
 * A whole control plane in about three seconds, after the first build of its programs. It ends when it is disposed of,
 * or when this process ends, be it by SIGKILL; either way it leaves nothing behind.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  using progress = startProgress(consoleProgressDeps);
  const bin = await ensurePrograms(testbedPaths().cache, progress);
  const dir = mkdtempSync(join(tmpdir(), "kubearmor-relay-cp-"));
  const auditLog = join(dir, "audit.log");
  const policy = join(dir, "audit-policy.json");
  if (options.audit === true) writeFileSync(policy, JSON.stringify(AUDIT_POLICY));
  const apiserverArgs = [
    ...(options.audit === true ? [`--audit-log-path=${auditLog}`, `--audit-policy-file=${policy}`] : []),
    ...(options.apiserverArgs ?? []),
  ];
  const server = await startTethered({
    bin,
    command: [
      join(bin, "kubebox"),
      "up",
      `--dir=${dir}`,
      "--ip=127.0.0.1",
      ...(options.crds ?? []).map((path) => `--pre=${path}`),
      `--apiserver-flags=${apiserverArgs.join(" ")}`,
      `--kcm-flags=${(options.controllerManagerArgs ?? []).join(" ")}`,
    ],
    logFile: join(dir, "control-plane.log"),
    removeDir: dir,
  });
  await using stack = new AsyncDisposableStack();
  stack.use(server);
  await server.waitUntil(() => existsSync(join(dir, "ready")), START_TIMEOUT_MS);
  const kubeconfig = join(dir, "admin.kubeconfig");
  if (options.kwok === true) stack.use(await startKwok({ bin, dir, kubeconfig: join(dir, "kwok.kubeconfig") }));
  const owned = stack.move();
  return {
    dir,
    kubeconfig,
    auditLog,
    bin,
    kubectl: createKubectl(testbedKubectl(bin, kubeconfig, dir)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
