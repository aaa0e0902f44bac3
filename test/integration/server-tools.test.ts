import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { childEnv, searchPath, testbedPaths } from "../../hack/testbed/config.ts";
import { buildKey, buildPlan, readInputs } from "../../hack/testbed/plan.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { type RelayServer, startServer } from "../../relay/server/server.ts";

/** Where the testbed keeps the tools it builds, if it has built them. */
function testbedPrograms(): string {
  const plan = buildPlan(process.platform, process.arch === "x64" ? "amd64" : process.arch);
  const inputs = readInputs(join(import.meta.dirname, "../../hack/testbed"), plan);
  return join(testbedPaths().cache, "testbed", buildKey(plan, inputs), "bin");
}

function whichTool(name: string): string | undefined {
  return [testbedPrograms(), ...searchPath()].map((folder) => join(folder, name)).find(existsSync);
}

const grpcurl = whichTool("grpcurl");
const probe = whichTool("grpc-health-probe");
const absent = (tool: string | undefined, name: string) =>
  tool === undefined ? `NOT TESTED: no ${name}, neither built by hack/testbed nor in PATH` : false;

let server: RelayServer;

before(async () => {
  server = await startServer({ port: 0 }, { routes: new Map(), clock: systemClock, log: silentLog });
});
after(() => server[Symbol.asyncDispose]());

describe("grpcurl", { skip: absent(grpcurl, "grpcurl") }, () => {
  test("lists the services", async () => {
    assert.deepEqual(await curl([], "list"), [
      "feeder.LogService",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
  });

  test("describes feeder.LogService", async () => {
    assert.deepEqual(await curl([], "describe", "feeder.LogService"), [
      "feeder.LogService is a service:",
      "service LogService {",
      "  rpc HealthCheck ( .feeder.NonceMessage ) returns ( .feeder.ReplyMessage );",
      "  rpc WatchAlerts ( .feeder.RequestMessage ) returns ( stream .feeder.Alert );",
      "  rpc WatchLogs ( .feeder.RequestMessage ) returns ( stream .feeder.Log );",
      "  rpc WatchMessages ( .feeder.RequestMessage ) returns ( stream .feeder.Message );",
      "}",
    ]);
  });

  for (const type of ["Alert", "Log"]) {
    test(`describes feeder.${type}, its map included`, async () => {
      const lines = await curl([], "describe", `feeder.${type}`);
      assert.ok(
        lines.some((line) => /^ {2}map<string, string> EventData = \d+;$/.test(line)),
        lines.join("\n"),
      );
      assert.ok(lines.includes(`message ${type} {`));
    });
  }

  for (const nonce of [2 ** 31 - 1, -1]) {
    test(`gets the nonce ${nonce} back, by reflection`, async () => {
      const lines = await curl(["-d", JSON.stringify({ nonce })], "feeder.LogService/HealthCheck");
      assert.deepEqual(JSON.parse(lines.join("\n")), { Retval: nonce });
    });
  }
});

describe("grpc-health-probe", { skip: absent(probe, "grpc-health-probe") }, () => {
  test("finds the server and feeder.LogService serving", async () => {
    for (const flags of [[], ["-service=feeder.LogService"]])
      assert.deepEqual(await check(...flags), ["status: SERVING"]);
  });

  test("fails while the server is not serving", async () => {
    server.setServing(false);
    // 4: reached, and not serving.
    await assert.rejects(check(), { code: 4 });
    server.setServing(true);
  });
});

function curl(flags: readonly string[], ...words: readonly string[]): Promise<string[]> {
  return runTool(grpcurl ?? "", ["-plaintext", ...flags, `localhost:${server.port}`, ...words]);
}

function check(...flags: readonly string[]): Promise<string[]> {
  return runTool(probe ?? "", [`-addr=localhost:${server.port}`, ...flags]);
}

/** The lines that the tool prints, on either stream. @throws with its exit status as `code` */
async function runTool(tool: string, args: readonly string[]): Promise<string[]> {
  // A proxy in the environment would be asked for localhost too.
  const env = childEnv({ PATH: searchPath().join(delimiter), NO_PROXY: "*", no_proxy: "*" });
  const { stdout, stderr } = await promisify(execFile)(tool, [...args], { env });
  return `${stdout}${stderr}`.trimEnd().split("\n");
}
