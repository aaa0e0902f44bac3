import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { bench } from "./bench.ts";
import { readConfig } from "./config.ts";
import { nodeFlags, startEnv } from "../../hack/bundle-start.ts";
import { requirementOf } from "./requirements.ts";
import type { Result } from "./measure.ts";
import { allowedCores } from "./usage.ts";

const lossyRelay = path.join(import.meta.dirname, "lossy-relay.child.ts");
const skip = missing();
const isRoot = process.getuid?.() === 0;

function missing(): string | false {
  if (process.platform !== "linux") return "the bench wants Linux";
  if (allowedCores(readFileSync("/proc/self/status", "utf8")).length < 2) return "the bench wants two cores";
  if (spawnSync("go", ["version"]).status !== 0) return "the bench wants Go, to build its load program";
  return false;
}

/** Measures for a second on the loopback interface: what is counted is asserted, what is timed is not. */
function measured(...args: readonly string[]): ReturnType<typeof run> {
  return run(["--loopback", "--sources", "--seconds=1", "--warm-up=0.5", ...args], "");
}

async function run(args: readonly string[], peer: string): Promise<{ results: readonly Result[]; printed: string }> {
  const lines: string[] = [];
  const results = await bench(readConfig(args, { ...process.env, PEER: peer }), {
    print: (line) => lines.push(line),
    signal: AbortSignal.timeout(120_000),
  });
  return { results, printed: lines.join("\n") };
}

describe("bench()", { skip }, () => {
  it("loses nothing through the relay, and prints the table", async () => {
    const { results, printed } = await measured("3>2@300");
    assert.deepEqual(
      results.map(({ subject }) => subject),
      ["floor", "ours"],
    );
    for (const result of results) {
      assert.ok(result.expected > 0, result.subject);
      assert.ok(result.deliveriesPerSecond > 0, result.subject);
      assert.deepEqual([result.lostAtAgents, result.lostInRelay, result.anomalies], [0, 0, []], result.subject);
    }
    assert.match(printed, /^load +relay +deliveries\/s/mu);
    assert.match(printed, /^3→2 @300 +floor /mu);
    assert.match(printed, /^3→2 @300 +ours /mu);
  });

  it("finds what a relay loses, repeats and reorders, and how much of the loss it does not own up to", async () => {
    const { results } = await measured("--no-floor", `--entry=${lossyRelay}`, "1>1@1000");
    const [result] = results;
    assert.ok(result !== undefined);
    assert.equal(result.lostAtAgents, 0);
    // Every 50th from the first one on; the subscription may have missed some before that.
    const most = Math.floor(result.expected / 50);
    assert.ok(result.lostInRelay <= most && result.lostInRelay >= most / 2, `${result.lostInRelay} of ${most}`);
    assert.equal(result.lostInSilence, result.lostInRelay - Math.floor(result.lostInRelay / 2));
    assert.equal(result.anomalies.length, 2, result.anomalies.join(", "));
    assert.match(result.anomalies[0] ?? "", /^\d+ duplicated$/u);
    assert.match(result.anomalies[1] ?? "", /^\d+ out of order$/u);
  });

  it("reads what the relay prints, line by line", async () => {
    const { results } = await measured("2>stdout@400");
    assert.deepEqual(
      results.map(({ subject, lostAtAgents, lostInRelay, anomalies, relay }) => {
        return { subject, lost: lostAtAgents + lostInRelay, anomalies, unaccounted: relay?.unaccounted };
      }),
      [{ subject: "ours", lost: 0, anomalies: [], unaccounted: 0 }],
    );
    assert.ok((results[0]?.deliveriesPerSecond ?? 0) > 0);
  });

  it("waits for agents that were down, and misses nothing but what they made meanwhile", async () => {
    const { results } = await measured("2>1@500~300ms");
    const [result] = results;
    assert.equal(results.length, 1);
    assert.ok((result?.backNs ?? 0) > 0);
    assert.deepEqual([result?.lostAtAgents, result?.lostInRelay, result?.anomalies], [0, 0, []]);
  });

  it("loses nothing of a subscriber's beside others that do not read", async () => {
    const { results } = await measured("--overload=1", "3>5@2k!");
    const [result] = results;
    assert.equal(results.length, 1);
    assert.deepEqual([result?.lostAtAgents, result?.lostInRelay, result?.anomalies], [0, 0, []]);
    assert.equal(result?.relay?.unaccounted, 0);
  });

  it("measures the other feed", async () => {
    const { results } = await measured("--no-floor", "--feed=logs", "2>1@200");
    assert.deepEqual(
      results.map(({ lostAtAgents, lostInRelay, anomalies }) => ({ lostAtAgents, lostInRelay, anomalies })),
      [{ lostAtAgents: 0, lostInRelay: 0, anomalies: [] }],
    );
  });

  it("measures a peer that finds its agents in the Kubernetes API", {
    skip: isRoot ? false : "a peer wants root",
  }, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), "bench-test-"));
    t.after(() => rm(folder, { recursive: true }));
    // Any relay that reads KUBECONFIG will do: ours does.
    const wrapper = path.join(folder, "peer");
    const relay = path.resolve(import.meta.dirname, "../../relay/main.ts");
    await writeFile(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${relay}' "$@"\n`, { mode: 0o755 });
    const { results } = await run(["--no-floor", "--no-ours", "--seconds=1", "--warm-up=0.5", "3>2@300"], wrapper);
    assert.deepEqual(
      results.map(({ subject, lostAtAgents, lostInRelay }) => ({ subject, lostAtAgents, lostInRelay })),
      [{ subject: "peer", lostAtAgents: 0, lostInRelay: 0 }],
    );
  });

  it("refuses a peer without network namespaces of its own", async () => {
    const config = readConfig(["--loopback"], { ...process.env, PEER: "/bin/true" });
    await assert.rejects(
      bench(config, { print: () => {}, signal: AbortSignal.timeout(10_000) }),
      /needs network namespaces/u,
    );
  });
});

describe("readConfig()", () => {
  it("takes rows from --rows and from the arguments", () => {
    const { rows } = readConfig(["--rows", "1>1@5k, 2>2@5k", "3>3@max"], {});
    assert.deepEqual(
      rows.map(({ agents }) => agents),
      [1, 2, 3],
    );
  });

  it("measures what is promised, a bundle started as the image does, and no peer by default", () => {
    const config = readConfig([], {});
    assert.deepEqual(
      config.rows.filter((row) => requirementOf(row) === undefined),
      [],
    );
    assert.equal(config.entry, undefined);
    assert.deepEqual([config.nodeFlags, config.relayEnv], [nodeFlags, startEnv]);
    assert.equal(config.peer, undefined);
  });

  it("starts the sources, and anything else, as it is told", () => {
    const sources = readConfig(["--sources"], {});
    assert.match(sources.entry ?? "", /relay\/main\.ts$/u);
    assert.deepEqual([sources.nodeFlags, sources.relayEnv], [[], {}]);
    assert.deepEqual(readConfig(["--node-flags=--a --b=1"], {}).nodeFlags, ["--a", "--b=1"]);
  });

  it("hands nothing of the user's environment on but where programs and caches are", () => {
    const { env } = readConfig([], { PATH: "/bin", HOME: "/root", KUBECONFIG: "/root/.kube/config" });
    assert.deepEqual(env, { PATH: "/bin", HOME: "/root" });
  });

  for (const args of [["--seconds=ten"], ["--feed=messages"], ["--what"], ["5k"]]) {
    it(`refuses ${args.join(" ")}`, () => assert.throws(() => readConfig(args, {})));
  }
});
