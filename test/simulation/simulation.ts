import { type FeedId, feeds } from "../../relay/feeds.ts";
import { sumOf } from "../../relay/hub/counts.ts";
import { Audience } from "./audience.ts";
import { Cluster } from "./cluster.ts";
import { EventBook } from "./event-book.ts";
import { Judge, type Violation } from "./judge.ts";
import { Network } from "./network.ts";
import { Oracle } from "./oracle.ts";
import { type Plan, planOf } from "./plan.ts";
import { Prng } from "./prng.ts";
import { RelayUnderTest } from "./relay-under-test.ts";
import { Scenario } from "./scenario.ts";
import { SimClock } from "./sim-clock.ts";
import { SimStdout } from "./sim-stdout.ts";
import { Trace } from "./trace.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Timers that fired; at a violation, the step that broke the rule. */
  readonly steps: number;
  /** Events that reached the relay. */
  readonly events: number;
  /** Of all that happened: equal for two runs of a seed. */
  readonly traceHash: string;
  readonly trace: readonly string[];
}

/** At how many of the steps the oracle looks: at all of them it would take most of the time. */
const lookingChance = 0.1;

/** Of the feeds' gathering, of printing, and of its report: they do nothing any more. */
const maxPacers = feeds.length + 2;
/** How long a relay that has drained may keep timers that only have to run out. */
const afterglowMs = 2_000;

/** Runs one seed's world around a relay, from its start to its drained end, or to the first violation. */
export async function simulate(
  seed: number,
  options: { readonly keepsTrace: boolean } = { keepsTrace: false },
): Promise<Outcome> {
  return await new Simulation(planOf(seed), options.keepsTrace).run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #clock = new SimClock();
  readonly #world: World;
  readonly #book: EventBook;
  readonly #relay: RelayUnderTest;
  readonly #network: Network;
  readonly #cluster: Cluster;
  readonly #audience: Audience;
  readonly #scenario: Scenario;
  readonly #oracle: Oracle;
  /** Decides where the oracle looks; of its own, so that looking changes nothing. */
  readonly #looks: Prng;
  #steps = 0;

  constructor(plan: Plan, keepsTrace: boolean) {
    this.#plan = plan;
    const nowMs = () => this.#clock.nowMs;
    const trace = new Trace(nowMs, keepsTrace);
    const judge = new Judge(nowMs);
    this.#world = new World(plan, new Prng(plan.seed ^ 0x5eed), this.#clock.view(), judge, trace);
    this.#looks = new Prng(plan.seed ^ 0x100c);
    this.#book = new EventBook(judge);
    const stdout = new SimStdout(this.#world, this.#book);
    const draws = new Prng(plan.seed ^ 0xd1ce);
    this.#network = new Network(this.#world, this.#book, () => this.#relay.nodes.nodes);
    this.#relay = new RelayUnderTest(plan, {
      clock: this.#clock.view(),
      random: () => plan.minDraw + draws.next() * (1 - plan.minDraw),
      openLink: this.#network.openLink,
      stdout,
    });
    this.#audience = new Audience(this.#world, this.#book, this.#relay, stdout);
    this.#network.onArrival = (feed) => {
      this.#audience.noteArrival(feed);
      this.#scenario.noteArrival(feed);
    };
    const deps = { network: this.#network, audience: this.#audience };
    this.#cluster = new Cluster(this.#world, this.#book, this.#network, this.#relay);
    this.#scenario = new Scenario(this.#world, { ...deps, cluster: this.#cluster });
    this.#oracle = new Oracle(this.#world, { ...deps, book: this.#book, relay: this.#relay });
  }

  async run(): Promise<Outcome> {
    const { judge, trace } = this.#world;
    const onRejection = (error: unknown) => judge.fail("thrown", `unhandled: ${String(error)}`);
    process.on("unhandledRejection", onRejection);
    try {
      await this.#live();
    } catch (error) {
      judge.fail("thrown", error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      process.off("unhandledRejection", onRejection);
    }
    return {
      seed: this.#plan.seed,
      violation: judge.violation,
      steps: this.#steps,
      events: feeds.reduce((sum, { id }) => sum + this.#book.arrived(id).events, 0),
      traceHash: trace.hash,
      trace: trace.lines,
    };
  }

  async #live(): Promise<void> {
    const { plan, clock, prng } = this.#world;
    this.#scenario.begin();
    const actNext = () => {
      clock.after(-Math.log(1 - prng.next()) * plan.actionEveryMs, () => {
        if (clock.now() >= plan.stormMs) return;
        this.#scenario.act();
        actNext();
      });
    };
    actNext();
    await this.#pass(plan.stormMs);
    const { judge } = this.#world;
    if (judge.violation === undefined && !plan.drainsInTheMiddle) await this.#recover();
    if (judge.violation === undefined) await this.#drain();
  }

  /** With nothing failing any more, every agent is connected within a bounded time, and everybody gets what they say. */
  async #recover(): Promise<void> {
    const { plan, judge, trace, clock } = this.#world;
    trace.note("calm");
    this.#cluster.heal();
    // Who is stuck stays so; the others hurry up.
    for (const client of this.#audience.open) if (client.isReading) client.setPace("healthy");
    this.#audience.stdout.setPace("healthy");
    const { connectDeadlineMs, healthDeadlineMs, silenceMs, goawayGraceMs, dialSlotMs, reconnect } = plan.node;
    const oneCycleMs = connectDeadlineMs + healthDeadlineMs + silenceMs + goawayGraceMs + plan.agents * dialSlotMs;
    // A dial that began before, an address nobody listens on, and a stream that was refused before.
    await this.#pass(oneCycleMs + 3 * reconnect.maxMs + 2_000);
    for (const { uid, listensOn } of this.#cluster.pods) {
      const node = this.#relay.nodes.nodes.find(({ agent }) => agent.id === uid);
      const attempt = [...this.#network.attempts].find((one) => one.endpoint === listensOn);
      judge.check(
        node?.state.kind === "connected" && attempt !== undefined,
        "recovery",
        () => `${uid} is ${node?.state.kind} after the calm`,
      );
      const served = [...(attempt?.link?.streams ?? [])].filter((stream) => stream.isServed).map(({ feed }) => feed.id);
      judge.equal(new Set(served).size, feeds.length, "recovery", `feeds of ${uid} that are open after the calm`);
    }
    const before = new Map(feeds.map(({ id }) => [id, this.#book.arrived(id).events]));
    for (const { process } of this.#cluster.pods) {
      for (const { id } of feeds) {
        process.emit(id, [8]);
        await this.#pass(60);
      }
    }
    await this.#pass(2_000);
    for (const { id } of feeds) {
      const news = this.#book.arrived(id).events - (before.get(id) ?? 0);
      judge.equal(news, this.#cluster.pods.size, "recovery", `${id} that came after the calm`);
    }
    this.#expectEverybodyIdle();
    trace.note("recovered", clock.now());
  }

  /** Who reads has all that there is. */
  #expectEverybodyIdle(): void {
    const { judge } = this.#world;
    for (const client of this.#audience.open) {
      if (!client.isReading) continue;
      const counts = this.#audience.countsOf(client);
      judge.equal(counts?.queued ?? -1, 0, "recovery", `events that still wait for ${client.name}, which reads`);
    }
    for (const { id } of feeds) {
      const { queued } = this.#relay.stdout.counts(id);
      judge.equal(queued, 0, "recovery", id, "that still wait for stdout, which is read");
    }
  }

  async #drain(): Promise<void> {
    const { plan, judge, clock, trace } = this.#world;
    trace.note("drain");
    this.#cluster.isRelayLeaving = true;
    const deadline = new AbortController();
    clock.after(plan.drainDeadlineMs, () => deadline.abort());
    let isDrained = false;
    const drained = this.#relay
      .drain(deadline.signal, () => this.#audience.hangUp())
      .then(() => {
        isDrained = true;
      });
    await this.#pass(plan.drainDeadlineMs + 50);
    // After a violation nobody else will.
    deadline.abort();
    judge.check(isDrained, "leak", () => "the drain has not ended by its deadline");
    if (judge.violation !== undefined) return;
    await drained;
    const { pending } = this.#relay.clock;
    judge.check(pending <= maxPacers, "leak", () => `${pending} timers at the end of the drain`);
    for (const { id } of feeds) this.#expectFeedDone(id);
    await this.#pass(afterglowMs);
    // Stdout stays with its feeds until the end of the process.
    this.#relay.printed.apply({ alerts: false, logs: false, messages: false });
    this.#expectNothingLeft();
  }

  #expectNothingLeft(): void {
    const { judge } = this.#world;
    judge.equal(this.#relay.clock.pending, 0, "leak", "timers after the drain");
    judge.equal(this.#network.attempts.size, 0, "leak", "connections after the drain");
    judge.equal(this.#relay.nodes.nodes.length, 0, "leak", "nodes after the drain");
    judge.equal(this.#relay.subscriptions.list().length, 0, "leak", "clients after the drain");
    judge.equal(this.#relay.hub.budget.usedBytes, 0, "leak", "bytes of the budget after the drain");
    judge.equal(this.#relay.stdout.queuedBytes, 0, "leak", "bytes for stdout after the drain");
    judge.check(this.#audience.stdout.isClosed, "leak", () => "stdout is open after the drain");
  }

  #expectFeedDone(feed: FeedId): void {
    const { judge } = this.#world;
    judge.equal(this.#relay.subscriptions.totals(feed).queued, 0, "leak", `${feed} for clients after the drain`);
    const { queued, dropped, unreadable } = this.#relay.stdout.counts(feed);
    const lost = unreadable + sumOf(dropped);
    judge.equal(queued, 0, "leak", `${feed} for stdout after the drain`);
    const reported = this.#relay.reportedLosses.get(feed) ?? 0;
    judge.equal(reported, lost, "accounting", `${feed} that the log says stdout lost`);
  }

  /** Lets virtual time pass, each step with all that it settles at once. */
  async #pass(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs + ms;
    const { judge } = this.#world;
    // What was called just now settles first.
    await turn();
    while (judge.violation === undefined && this.#clock.step(untilMs)) {
      this.#steps += 1;
      await turn();
      this.#oracle.glance();
      if (this.#looks.chance(lookingChance)) this.#oracle.check();
    }
    if (judge.violation === undefined) this.#oracle.check();
  }
}

/** Resolves when every promise has settled that can: virtual time stands still meanwhile. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
