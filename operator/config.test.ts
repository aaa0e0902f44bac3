import assert from "node:assert/strict";
import { test } from "node:test";
import { type OperatorConfig, type ParsedConfig, parseConfig } from "./config.ts";

function configOf(parsed: ParsedConfig): OperatorConfig {
  assert.ok(parsed.kind === "valid");
  return parsed.config;
}

function namespacesOf(argv: readonly string[], env = {}): readonly string[] {
  return configOf(parseConfig(argv, env)).namespaces;
}

const inPod = { KUBERNETES_SERVICE_HOST: "10.96.0.1" };

test("parseConfig() elects a leader in a pod, and not when run by hand, unless told otherwise", () => {
  assert.equal(configOf(parseConfig([], inPod)).leaderElect, true);
  assert.equal(configOf(parseConfig([], {})).leaderElect, false);
  assert.equal(configOf(parseConfig(["--kubeconfig=x"], inPod)).leaderElect, false);
  assert.equal(configOf(parseConfig(["--leader-elect=false"], inPod)).leaderElect, false);
  assert.equal(configOf(parseConfig(["-leader-elect"], {})).leaderElect, true);
});

test("parseConfig() takes namespaces from either flag, or from WATCH_NAMESPACES, each once", () => {
  assert.deepEqual(namespacesOf([]), []);
  assert.deepEqual(namespacesOf(["--namespaces", "a, b,a"]), ["a", "b"]);
  assert.deepEqual(namespacesOf(["-namespace=a"]), ["a"]);
  assert.deepEqual(namespacesOf([], { WATCH_NAMESPACES: "c" }), ["c"]);
  assert.deepEqual(namespacesOf(["--namespaces="], { WATCH_NAMESPACES: "c" }), []);
});

test("parseConfig() without rights in the cluster needs to know where there are any", () => {
  assert.equal(configOf(parseConfig([], {})).clusterRights, true);
  assert.equal(configOf(parseConfig(["--cluster-rights=false"], { WATCH_NAMESPACES: "a" })).clusterRights, false);
  const parsed = parseConfig(["--cluster-rights=false"], {});
  assert.ok(parsed.kind === "invalid");
  assert.match(parsed.errors.join(), /-cluster-rights is false: -namespaces \(or WATCH_NAMESPACES\) must name/);
});

test("parseConfig() takes the times of the election as Kubernetes' components do, and their defaults", () => {
  assert.deepEqual(configOf(parseConfig([], {})).leaseTimes, {
    leaseDurationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryPeriodMs: 2_000,
  });
  const flags = [
    "--leader-elect-lease-duration=1m",
    "--leader-elect-renew-deadline=40s",
    "--leader-elect-retry-period=5s",
  ];
  assert.deepEqual(configOf(parseConfig(flags, {})).leaseTimes, {
    leaseDurationMs: 60_000,
    renewDeadlineMs: 40_000,
    retryPeriodMs: 5_000,
  });
  const parsed = parseConfig(["--leader-elect-lease-duration=10s", "--leader-elect-retry-period=2"], {});
  assert.ok(parsed.kind === "invalid");
  assert.deepEqual(parsed.errors, [
    'Flag -leader-elect-retry-period must be a duration such as 15s: it is "2"',
    "Flags -leader-elect-*: the lease's duration must be more than the renew deadline: duration 10000 ms, renew deadline 10000 ms, retry period 2000 ms",
  ]);
});

test("parseConfig() names every mistake at once, with its value and what is wanted", () => {
  const parsed = parseConfig(
    ["--http-port=x", "--concurrency=0", "--log-level=loud", "--leader-elect=maybe", "extra"],
    {},
  );
  assert.ok(parsed.kind === "invalid");
  assert.deepEqual(parsed.errors.toSorted(), [
    'Flag -concurrency must be a number from 1 to 100: it is "0"',
    'Flag -http-port must be a port: it is "x"',
    'Flag -leader-elect must be true or false: it is "maybe"',
    'Flag -log-level must be one of error, warn, info, debug: it is "loud"',
    'Unexpected argument "extra"',
  ]);
});

test("parseConfig() warns of a flag that it does not know", () => {
  const parsed = parseConfig(["--novel=1", "--http-port=9"], {});
  assert.ok(parsed.kind === "valid");
  assert.equal(parsed.config.httpPort, 9);
  assert.equal(parsed.warnings.length, 1);
});
