import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig, type RelayConfig } from "./config.ts";

function config(argv: string[], env: Record<string, string> = {}): RelayConfig {
  const parsed = parseConfig(argv, env);
  if (parsed.kind === "refused") assert.fail(parsed.errors.join("; "));
  return parsed.config;
}

test("parseConfig() has the upstream relay's defaults", () => {
  const read = config([], { KUBERNETES_SERVICE_HOST: "10.96.0.1" });
  assert.equal(read.grpcPort, 32_767);
  assert.deepEqual(read.kubernetes, {
    kubeconfig: undefined,
    namespaces: [],
    selector: "kubearmor-app=kubearmor",
    port: undefined,
  });
  assert.deepEqual(read.settings.stdout, { alerts: false, logs: false, messages: false });
});

test("parseConfig() reads the switches as upstream does: true in any case, nothing else", () => {
  const read = config(["--agents=a:1"], {
    ENABLE_STDOUT_ALERTS: "TRUE",
    ENABLE_STDOUT_LOGS: "1",
    ENABLE_STDOUT_MSGS: "true",
  });
  assert.deepEqual(read.settings.stdout, { alerts: true, logs: false, messages: true });
});

test("parseConfig() needs no cluster when agents are named", () => {
  const read = config(["--agents=10.0.0.1:32767,[fd00::1]:1"], { KUBECONFIG: "/nowhere" });
  assert.equal(read.kubernetes, undefined);
  assert.deepEqual(read.agents, [
    { host: "10.0.0.1", port: 32_767 },
    { host: "fd00::1", port: 1 },
  ]);
});

test("parseConfig() takes both sources of agents together", () => {
  const read = config(["--agents=a:1", "--kubeconfig=/k", "--agentNamespaces=a,b", "--agentPort=40000"]);
  assert.equal(read.agents.length, 1);
  assert.deepEqual(read.kubernetes, {
    kubeconfig: "/k",
    namespaces: ["a", "b"],
    selector: "kubearmor-app=kubearmor",
    port: 40_000,
  });
});

test("parseConfig() starts with all flags of an upstream manifest and warns of unknown ones", () => {
  const parsed = parseConfig(
    ["-tlsEnabled=false", "-tlsCertPath=/x", "-tlsCertProvider=self", "-gRPCPort=1", "-newFlag=1", "--agents=a:1"],
    {},
  );
  assert.equal(parsed.kind, "config");
  assert.deepEqual(parsed.kind === "config" && parsed.warnings, ["Unknown flag -newFlag is ignored"]);
});

test("parseConfig() names every problem at once", () => {
  const parsed = parseConfig(
    ["-gRPCPort=http", "-tlsEnabled", "--agents=nope", "--settings=x", "--logLevel=loud", "--httpPort=70000"],
    {},
  );
  assert.equal(parsed.kind, "refused");
  if (parsed.kind !== "refused") return;
  const wanted = [
    /-tlsEnabled is true/,
    /-agents has "nope"/,
    /-settings/,
    /-logLevel is "loud"/,
    /-gRPCPort is "http"/,
    /-httpPort is "70000"/,
  ];
  for (const problem of wanted)
    assert.ok(
      parsed.errors.some((error) => problem.test(error)),
      `${problem} in ${parsed.errors.join("; ")}`,
    );
  assert.equal(parsed.errors.length, wanted.length);
});

test("parseConfig() refuses to start with no source of agents", () => {
  const parsed = parseConfig([], {});
  assert.match(parsed.kind === "refused" ? parsed.errors.join() : "", /Cannot find agents/);
});
