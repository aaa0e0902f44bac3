import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { ApiError } from "../../lib/kube/errors.ts";
import type { KubeClient, KubeObject } from "../../lib/kube/types.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type Log, silentLog } from "../../lib/process/log.ts";
import type { RelayEntry } from "./entry.ts";
import { Reporter } from "./reporter.ts";

const first: RelayEntry = {
  pod: "relay-0",
  version: "1",
  settings: "a",
  stdout: "none",
  agents: { seen: 1, connected: 1 },
  loss: { dropped: 0, gaps: 0 },
};

type Answer = "yes" | "lost" | ApiError | Error | "never";

/** A reporter, what it reads, and the API that it speaks to. */
class World implements Disposable {
  readonly clock = new FakeClock();
  readonly reports: { readonly atMs: number; readonly entry: RelayEntry }[] = [];
  readonly said: string[] = [];
  /** What the API has. */
  held: RelayEntry | undefined;
  entry = first;
  /** As the reporter said last. */
  answeredSinceMs: number | undefined;
  isSettled = true;
  chance = 1;
  /** To the next reports; when there are none left, yes. `lost` = taken, but the answer does not arrive. */
  readonly answers: Answer[] = [];
  readonly reporter: Reporter;

  constructor() {
    const line = (level: string) => (message: string) => void this.said.push(`${level}: ${message.split(":")[0]}`);
    const log: Log = { ...silentLog, warn: line("warn"), info: line("info"), with: () => log };
    this.reporter = new Reporter(
      { namespace: "ns", name: "relay" },
      {
        client: { apply: (...call) => this.#apply(...call) },
        entry: (answeredSinceMs) => {
          this.answeredSinceMs = answeredSinceMs;
          return this.entry;
        },
        isSettled: () => this.isSettled,
        clock: this.clock,
        random: () => this.chance,
        log,
      },
    );
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      await turn();
    }
  }

  [Symbol.dispose](): void {
    this.reporter[Symbol.dispose]();
  }

  get timesMs(): readonly number[] {
    return this.reports.map(({ atMs }) => atMs);
  }

  async #apply(...[, object, options, signal]: Parameters<KubeClient["apply"]>): Promise<KubeObject> {
    assert.deepEqual(options, { fieldManager: "relay-relay-0", force: true, subresource: "status" });
    const { relays } = object["status"] as { readonly relays: readonly [RelayEntry] };
    this.reports.push({ atMs: this.clock.monotonic(), entry: relays[0] });
    const answer = this.answers.shift() ?? "yes";
    if (answer === "never") {
      await new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
    }
    if (answer instanceof Error) throw answer;
    this.held = relays[0];
    if (answer === "lost") throw new Error("connection reset");
    return object;
  }
}

const refusal = (code: number) => new ApiError(code, {}, { verb: "apply", resource: "kubearmorrelays" });

describe("Reporter", () => {
  it("reports once and then nothing for minutes as long as nothing changes", async () => {
    using world = new World();
    await world.pass(360_000);
    assert.deepEqual(world.timesMs, [1_000]);
    assert.deepEqual(world.held, first);
  });

  it("puts its entry back that the API has lost", async () => {
    using world = new World();
    await world.pass(2_000);
    world.held = undefined;
    await world.pass(360_000);
    assert.deepEqual(world.timesMs, [1_000, 361_000]);
    assert.deepEqual(world.held, first);
  });

  it("repeats itself at other times than others do, by chance", async () => {
    using world = new World();
    world.chance = 0.25;
    await world.pass(600_000);
    assert.deepEqual(world.timesMs, [1_000, 271_000, 541_000]);
  });

  it("lets the first report wait for the end of the start, but not for ever", async () => {
    using world = new World();
    world.isSettled = false;
    await world.pass(2_900);
    assert.deepEqual(world.timesMs, []);
    await world.pass(10_000);
    assert.deepEqual(world.timesMs, [3_000]);
  });

  it("does not let new settings break off that wait", async () => {
    using world = new World();
    world.isSettled = false;
    await world.pass(500);
    world.reporter.onSettings();
    await world.pass(1_500);
    assert.deepEqual(world.timesMs, []);
  });

  it("does not let new settings go before the first second is over", async () => {
    using world = new World();
    await world.pass(500);
    world.reporter.onSettings();
    await world.pass(499);
    assert.deepEqual(world.timesMs, []);
    await world.pass(1_501);
    assert.deepEqual(world.timesMs, [1_500]);
  });

  it("reports new settings at once", async () => {
    using world = new World();
    await world.pass(5_500);
    world.entry = { ...first, settings: "b" };
    world.reporter.onSettings();
    await turn();
    assert.deepEqual(world.timesMs, [1_000, 5_500]);
    await world.pass(60_000);
    assert.equal(world.reports.length, 2);
  });

  it("reports settings that change all the time once a second, the last of them too", async () => {
    using world = new World();
    await world.pass(1_000);
    for (let index = 0; index < 30; index += 1) {
      world.entry = { ...first, settings: `s${index}` };
      world.reporter.onSettings();
      await world.pass(100);
    }
    await world.pass(2_000);
    assert.deepEqual(world.timesMs, [1_000, 2_000, 3_000, 4_000]);
    assert.equal(world.held?.settings, "s29");
  });

  it("reports agents that come and go all the time every ten seconds", async () => {
    using world = new World();
    for (let connected = 0; connected < 300; connected += 1) {
      world.entry = { ...first, agents: { seen: 300, connected } };
      await world.pass(100);
    }
    await world.pass(10_000);
    assert.deepEqual(world.timesMs, [1_000, 11_000, 21_000, 31_000]);
    assert.equal(world.held?.agents.connected, 299);
  });

  it("reports losses within ten seconds, and once a minute while they go on", async () => {
    using world = new World();
    await world.pass(1_000);
    for (let dropped = 1; dropped <= 1_000; dropped += 1) {
      world.entry = { ...first, loss: { dropped, gaps: 0 } };
      await world.pass(100);
    }
    await world.pass(60_000);
    assert.deepEqual(world.timesMs, [1_000, 11_000, 71_000, 131_000]);
    assert.equal(world.held?.loss.dropped, 1_000);
    await world.pass(60_000);
    world.entry = { ...first, loss: { dropped: 1_001, gaps: 0 } };
    await world.pass(1_000);
    assert.equal(world.held?.loss.dropped, 1_001, "losses after a pause do not wait");
  });

  it("reports again when the settings were told again, for whoever told them may have begun anew", async () => {
    using world = new World();
    await world.pass(2_000);
    world.held = undefined;
    world.reporter.onSettings();
    await world.pass(60_000);
    assert.deepEqual(world.timesMs, [1_000, 11_000]);
    assert.deepEqual(world.held, first);
  });

  it("reports what is true again after a report of which nobody knows whether it arrived", async () => {
    using world = new World();
    await world.pass(2_000);
    world.answers.push("lost");
    world.entry = { ...first, problem: "p" };
    await world.pass(1_000);
    assert.equal(world.held?.problem, "p");
    world.entry = first;
    await world.pass(5_000);
    assert.deepEqual(world.held, first);
  });

  it("tries again for ever, less and less often, and says so once", async () => {
    using world = new World();
    world.answers.push(...Array.from({ length: 20 }, () => new Error("connect ECONNREFUSED")));
    await world.pass(200_000);
    const waits = world.timesMs.slice(1).map((atMs, index) => atMs - (world.timesMs[index] ?? 0));
    assert.deepEqual(waits.slice(0, 8), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    assert.deepEqual(world.said, ["warn: Cannot report to the KubeArmorRelay"]);
    world.answers.length = 0;
    await world.pass(30_000);
    assert.deepEqual(world.said.slice(1), ["info: Reporting to the KubeArmorRelay again"]);
    assert.deepEqual(world.held, first);
    assert.equal(world.reporter.status.lastError?.kind, "unreachable");
  });

  it("tries again soon after a failure that is not one of a row", async () => {
    using world = new World();
    const down = new Error("connect ECONNREFUSED");
    world.answers.push(down, down, down, down, "yes", down);
    await world.pass(60_000);
    world.entry = { ...first, problem: "p" };
    await world.pass(10_000);
    assert.deepEqual(world.timesMs, [1_000, 2_000, 4_000, 8_000, 16_000, 61_000, 62_000]);
  });

  it("tells since when the API has answered", async () => {
    using world = new World();
    world.answers.push("yes", new Error("reset"), new Error("reset"), refusal(404));
    await world.pass(2_000);
    assert.equal(world.answeredSinceMs, Number.NEGATIVE_INFINITY);
    world.entry = { ...first, problem: "p" };
    await world.pass(1_000);
    assert.equal(world.answeredSinceMs, Number.POSITIVE_INFINITY);
    await world.pass(100_000);
    assert.equal(world.answeredSinceMs, 6_000, "a refusal is an answer");
  });

  it("is quiet about a KubeArmorRelay that is gone", async () => {
    using world = new World();
    world.answers.push(refusal(404), refusal(404), refusal(403), refusal(403));
    await world.pass(100_000);
    assert.deepEqual(world.said, [
      "warn: Cannot report to the KubeArmorRelay",
      "info: Reporting to the KubeArmorRelay again",
    ]);
    assert.deepEqual(world.reporter.status.counts, { applied: 1, gone: 2, forbidden: 2, refused: 0, unreachable: 0 });
  });

  it("does as the server wishes that asks for more time", async () => {
    using world = new World();
    world.answers.push(new ApiError(429, {}, { verb: "apply", resource: "kubearmorrelays" }, 40_000));
    await world.pass(60_000);
    assert.deepEqual(world.timesMs, [1_000, 41_000]);
  });

  it("gives up on an answer that does not come, and then says what is true by then", async () => {
    using world = new World();
    world.answers.push("never");
    await world.pass(1_500);
    world.entry = { ...first, settings: "b" };
    world.reporter.onSettings();
    await world.pass(20_000);
    assert.deepEqual(world.timesMs, [1_000, 12_000]);
    assert.equal(world.held?.settings, "b");
  });

  it("leaves nothing behind when it is disposed of, and makes no words of what it broke off", async () => {
    const world = new World();
    world.answers.push("never");
    await world.pass(1_500);
    world.reporter[Symbol.dispose]();
    await turn();
    assert.equal(world.clock.pendingTimers, 0);
    world.reporter.onSettings();
    await world.pass(60_000);
    assert.deepEqual([world.reports.length, world.said], [1, []]);
  });
});

const answers = fc.constantFrom<Answer>("yes", "yes", "lost", new Error("reset"), refusal(403), "never");
const step = fc.record({
  waitMs: fc.integer({ min: 1, max: 4_000 }),
  settings: fc.constantFrom("a", "b"),
  problem: fc.constantFrom(undefined, "p"),
  connected: fc.integer({ min: 0, max: 2 }),
  isTold: fc.boolean(),
});

test("Reporter never exceeds its pace, reports nothing twice unasked, and in the end the API has the truth", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.array(answers, { maxLength: 5 }), async (steps, given) => {
      using world = new World();
      world.answers.push(...given);
      for (const { waitMs, settings, problem, connected, isTold } of steps) {
        const { problem: _, ...rest } = world.entry;
        const agents = { seen: 2, connected };
        world.entry = { ...rest, settings, agents, ...(problem === undefined ? {} : { problem }) };
        if (isTold) world.reporter.onSettings();
        await world.pass(waitMs);
      }
      const calmSince = world.clock.monotonic();
      // Five failures cost 40 s each at most, for the answer and for the wait.
      await world.pass(250_000);
      assert.deepEqual(world.held, world.entry, "the last state was reported");
      for (const [index, { atMs, entry }] of world.reports.entries()) {
        const before = world.reports[index - 1];
        if (before === undefined) continue;
        assert.ok(atMs - before.atMs >= 1_000, "at most one a second");
        const isQuiet = !given.some((answer) => answer !== "yes");
        const isOrdinary = before.entry.settings === entry.settings && before.entry.problem === entry.problem;
        if (isQuiet && isOrdinary) assert.ok(atMs - before.atMs >= 10_000, "counts every ten seconds");
      }
      const calm = world.reports.filter(({ atMs }) => atMs > calmSince + 230_000);
      const isDue = calm.every(({ atMs }) => !world.timesMs.some((other) => other < atMs && other > atMs - 240_000));
      assert.ok(isDue, "no report without a change, but every few minutes");
    }),
    { numRuns: 60 },
  );
});
