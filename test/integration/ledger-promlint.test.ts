import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startChecker } from "../../hack/check/checker.ts";
import { CommandError, run } from "../../hack/testbed/command.ts";
import { findGo } from "../../hack/testbed/go.ts";
import { makeWorld } from "../../relay/ledger/testing/sources.ts";
import { createMetrics } from "../../relay/metrics.ts";
import { readMetricsText } from "./ledger-harness.ts";
import { startRelayFixture } from "./relay-harness.ts";

const source = join(import.meta.dirname, "../../hack/promlint");
const hasGo = (await findGo(source)).kind === "found";
const skip = hasGo ? false : "NOT TESTED: no Go to build promlint with";

/** What `promtool check metrics` checks, by its own library. */
describe("promlint", { skip }, () => {
  let folder = "";
  before(
    async () => {
      folder = await mkdtemp(join(tmpdir(), "promlint-"));
      await run("go", ["build", "-trimpath", "-o", folder, "."], { cwd: source, env: { CGO_ENABLED: "0" } });
    },
    { timeout: 300_000 },
  );
  after(() => rm(folder, { recursive: true }));

  /** What it finds, a line each. */
  const lint = async (metrics: string): Promise<string> => {
    try {
      return await run(join(folder, "promlint"), [], { input: metrics });
    } catch (error) {
      if (error instanceof CommandError) return `status ${error.status}: ${error.stderr}`;
      throw error;
    }
  };

  test("finds nothing wrong with a relay at work, its process's metrics included", { timeout: 60_000 }, async () => {
    await using fixture = await startRelayFixture({ count: 2 }, { env: { ENABLE_STDOUT_ALERTS: "true" } });
    await using checker = await startChecker(fixture.address);
    fixture.fleet.produce("alerts", 10);
    await checker.untilEvents(20);
    assert.equal(await lint(await readMetricsText(fixture.relay.httpPort)), "");
  });

  test("finds nothing wrong with any metric of the table", { timeout: 60_000 }, async () => {
    await using world = await makeWorld();
    assert.equal(await lint(await createMetrics(world.sources).metrics()), "");
  });

  test("does find what is wrong", { timeout: 60_000 }, async () => {
    const bad = "# HELP queue_milliseconds_total \n# TYPE queue_milliseconds_total gauge\nqueue_milliseconds_total 1\n";
    assert.match(await lint(bad), /^status 3: queue_milliseconds_total: /);
    assert.match(await lint("not { metrics\n"), /status 1: Cannot read the metrics/);
  });
});
