import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig, type RelayConfig } from "./config.ts";
import { defaultSettings } from "./settings/settings.ts";

type Env = Readonly<Record<string, string>>;

const inCluster = { KUBERNETES_SERVICE_HOST: "10.96.0.1" };

function config(argv: readonly string[], env: Env = {}): RelayConfig {
  const parsed = parseConfig(argv, env);
  if (parsed.kind === "refused") assert.fail(parsed.errors.join("; "));
  return parsed.config;
}

test("parseConfig() has the upstream relay's defaults", () => {
  assert.deepEqual(config([], inCluster), {
    grpcPort: 32_767,
    httpPort: 8080,
    agents: [],
    cluster: { kubeconfig: undefined, isNeeded: true },
    discoversPods: true,
    configFile: undefined,
    settingsConfigMap: undefined,
    lease: undefined,
    report: undefined,
    identity: undefined,
    settings: defaultSettings,
  });
});

test("parseConfig() reads the switches as upstream does: true in any case, nothing else", () => {
  const read = config(["--agents=a:1"], {
    ENABLE_STDOUT_ALERTS: "TRUE",
    ENABLE_STDOUT_LOGS: "1",
    ENABLE_STDOUT_MSGS: "true",
  });
  assert.deepEqual(read.settings.stdout, { alerts: true, logs: false, messages: true });
});

const spellings: Readonly<Record<string, readonly string[]>> = {
  "one dash and =": ["-gRPCPort=1", "-config=/c", "-tlsEnabled=false", "-agents=a:1"],
  "two dashes and =": ["--gRPCPort=1", "--config=/c", "--tlsEnabled=false", "--agents=a:1"],
  "a value of its own": ["-gRPCPort", "1", "--config", "/c", "-tlsEnabled=F", "-agents", "a:1"],
  "the last one wins": ["-gRPCPort=2", "-gRPCPort=1", "-config", "/c", "-agents=a:1"],
};
for (const [sentence, argv] of Object.entries(spellings)) {
  test(`parseConfig() reads flags as Go does: ${sentence}`, () => {
    const { grpcPort, configFile, agents } = config(argv);
    assert.deepEqual(
      { grpcPort, configFile, agents },
      { grpcPort: 1, configFile: "/c", agents: [{ host: "a", port: 1 }] },
    );
  });
}

test("parseConfig() reads what can change later into the settings", () => {
  const { settings } = config([
    "--agents=a:1",
    "--agentNamespaces=b, a,b",
    "--agentSelector=k=v,tier in (a,b)",
    "--agentPort=40000",
    "--logLevel=debug",
  ]);
  assert.deepEqual(settings, {
    ...defaultSettings,
    agents: { namespaces: ["a", "b"], selector: "k=v,tier in (a,b)", port: 40_000 },
    logLevel: "debug",
  });
});

const sources: Readonly<
  Record<string, { argv: readonly string[]; env?: Env; agents?: number; kubeconfig?: string; pods: boolean }>
> = {
  "in a cluster: its pods": { argv: [], env: inCluster, pods: true },
  "with a kubeconfig: its pods": { argv: ["--kubeconfig=/k"], kubeconfig: "/k", pods: true },
  "with $KUBECONFIG and nothing else: its pods": { argv: [], env: { KUBECONFIG: "/k" }, kubeconfig: "/k", pods: true },
  "with agents: only those": { argv: ["--agents=a:1,[fd00::1]:2"], env: { KUBECONFIG: "/k" }, agents: 2, pods: false },
  "with agents in a cluster: both": { argv: ["--agents=a:1"], env: inCluster, agents: 1, pods: true },
  "with agents and a kubeconfig: both": {
    argv: ["--agents=a:1", "--kubeconfig=/k"],
    agents: 1,
    kubeconfig: "/k",
    pods: true,
  },
  "both, said": {
    argv: ["--discovery=kubernetes,static", "--agents=a:1"],
    env: { KUBECONFIG: "/k" },
    agents: 1,
    kubeconfig: "/k",
    pods: true,
  },
  "static in a cluster: its pods are left alone": {
    argv: ["--discovery=static", "--agents=a:1"],
    env: inCluster,
    agents: 1,
    pods: false,
  },
  "kubernetes, said": { argv: ["--discovery", "kubernetes"], env: inCluster, pods: true },
};
for (const [sentence, { argv, env = {}, agents = 0, kubeconfig, pods }] of Object.entries(sources)) {
  test(`parseConfig() takes agents from: ${sentence}`, () => {
    const read = config(argv, env);
    assert.equal(read.agents.length, agents);
    assert.equal(read.cluster?.kubeconfig, kubeconfig);
    assert.equal(read.discoversPods, pods);
  });
}

const needs: Readonly<Record<string, { argv: readonly string[]; isNeeded: boolean }>> = {
  "agents are looked for there": { argv: [], isNeeded: true },
  "agents are named": { argv: ["--agents=a:1"], isNeeded: false },
  "only agents that are named are wanted": { argv: ["--discovery=static", "--agents=a:1"], isNeeded: false },
  "its pods are asked for as well": { argv: ["--discovery=kubernetes,static", "--agents=a:1"], isNeeded: true },
  "settings are there": { argv: ["--agents=a:1", "--settings=a/b"], isNeeded: true },
  "turns are taken there": { argv: ["--agents=a:1", "--lease=a/b"], isNeeded: true },
  "its kubeconfig is named": { argv: ["--agents=a:1", "--kubeconfig=/k"], isNeeded: true },
};
for (const [sentence, { argv, isNeeded }] of Object.entries(needs)) {
  test(`parseConfig(): a cluster is ${isNeeded ? "needed" : "done without at need"} when ${sentence}`, () => {
    assert.equal(config(argv, inCluster).cluster?.isNeeded, isNeeded);
  });
}

test("parseConfig() reads the names of a ConfigMap and a Lease", () => {
  const read = config(["--settings=ns/a", "--lease=ns/b", "--identity=me"], inCluster);
  assert.deepEqual(
    { settings: read.settingsConfigMap, lease: read.lease, identity: read.identity },
    { settings: { namespace: "ns", name: "a" }, lease: { namespace: "ns", name: "b" }, identity: "me" },
  );
});

test("parseConfig() reads whose status it reports to, and as which pod", () => {
  const { report } = config(["--report=ns/relay", "--identity=relay-5d-x2"], inCluster);
  assert.deepEqual(report, { relay: { namespace: "ns", name: "relay" }, pod: "relay-5d-x2" });
});

test("parseConfig() starts with all flags of an upstream manifest and warns of those without effect", () => {
  const parsed = parseConfig(
    ["-tlsEnabled=false", "-tlsCertPath=/x", "-tlsCertProvider=self", "-gRPCPort=1", "-newFlag=1", "--agents=a:1"],
    {},
  );
  assert.deepEqual(parsed.kind === "config" && parsed.warnings, [
    "Unknown flag -newFlag is ignored",
    "Flag -tlsCertPath has no effect yet: this version serves no TLS",
    "Flag -tlsCertProvider has no effect yet: this version serves no TLS",
  ]);
});

const refused: Readonly<Record<string, { argv: readonly string[]; env?: Env; errors: readonly RegExp[] }>> = {
  "every problem at once": {
    argv: [
      "-gRPCPort=http",
      "-tlsEnabled",
      "--agents=nope",
      "--settings=x",
      "--logLevel=loud",
      "--httpPort=70000",
      "--agentSelector=",
      "--agentNamespaces=A",
      "extra",
    ],
    errors: [
      /Argument "extra"/,
      /-tlsEnabled is true/,
      /-gRPCPort is "http"/,
      /-httpPort is "70000"/,
      /-agents has "nope"/,
      /-settings is "x"/,
      /-logLevel is "loud"/,
      /-agentNamespaces is "A"/,
      /-agentSelector is ""/,
      /-settings needs a cluster/,
    ],
  },
  "no source of agents": { argv: [], errors: [/Cannot find agents: not in a cluster/] },
  "an empty list of agents is no source": { argv: ["--agents="], errors: [/Cannot find agents/] },
  "pods without a cluster": { argv: ["--discovery=kubernetes"], errors: [/-discovery=kubernetes: not in a cluster/] },
  "static without agents": { argv: ["--discovery=static"], env: inCluster, errors: [/-discovery=static: -agents/] },
  "agents that are left out": {
    argv: ["--discovery=kubernetes", "--agents=a:1"],
    env: inCluster,
    errors: [/names agents that -discovery leaves out/],
  },
  "a discovery that is none": { argv: ["--discovery=dns", "--agents=a:1"], errors: [/-discovery is "dns"/] },
  "a Lease without a cluster": { argv: ["--agents=a:1", "--lease=a/b"], errors: [/-lease needs a cluster/] },
  "a Lease without a namespace": { argv: ["--lease=b"], env: inCluster, errors: [/-lease is "b"/] },
  "a flag without its value": { argv: ["--agents=a:1", "-gRPCPort"], errors: [/-gRPCPort needs a value/] },
  "a boolean that is none": { argv: ["--agents=a:1", "-tlsEnabled=maybe"], errors: [/-tlsEnabled is "maybe"/] },
  "a report that is not of a pod": {
    argv: ["--kubeconfig=/k", "--report=a/b", "--identity=Pod_1"],
    errors: [/^Flag -identity is "Pod_1", with -report it must be the name of the pod$/],
  },
  "a report of nobody": {
    argv: ["--kubeconfig=/k", "--report=a/b"],
    errors: [/^Flag -identity is not set, with -report it must be the name of the pod$/],
  },
  "a report without a cluster": {
    argv: ["--agents=a:1", "--report=a/b", "--identity=p"],
    errors: [/^Flag -report needs a cluster/],
  },
};
for (const [sentence, { argv, env = {}, errors }] of Object.entries(refused)) {
  test(`parseConfig() refuses: ${sentence}`, () => {
    const parsed = parseConfig(argv, env);
    assert.equal(parsed.kind, "refused");
    if (parsed.kind !== "refused") return;
    const sorted = parsed.errors.toSorted();
    for (const error of errors)
      assert.ok(
        sorted.some((one) => error.test(one)),
        `${error} in ${sorted.join("; ")}`,
      );
    assert.equal(sorted.length, errors.length, sorted.join("; "));
  });
}
