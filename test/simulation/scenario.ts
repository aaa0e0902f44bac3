import { constants } from "node:http2";
import { type FeedId, feeds } from "../../relay/feeds.ts";
import { actionKinds, type ActionKind } from "./action-kinds.ts";
import type { Audience } from "./audience.ts";
import type { Cluster, SimPod } from "./cluster.ts";
import type { EventKind } from "./event-book.ts";
import type { Network } from "./network.ts";
import { maxPods } from "./plan.ts";
import type { StreamFault } from "./sim-agent.ts";
import type { Pace } from "./sim-client.ts";
import type { World } from "./world.ts";

export interface ScenarioDeps {
  readonly network: Network;
  readonly cluster: Cluster;
  readonly audience: Audience;
}

/** What happens in a world, drawn one after the other. */
export class Scenario {
  readonly #world: World;
  readonly #deps: ScenarioDeps;
  readonly #deck: readonly { readonly kind: ActionKind; readonly upTo: number }[];
  readonly #isOn: Record<FeedId, boolean> = { alerts: false, logs: false, messages: false };

  /** The feed that everybody leaves with its next event. */
  #deserted: FeedId | undefined;

  constructor(world: World, deps: ScenarioDeps) {
    this.#world = world;
    this.#deps = deps;
    let upTo = 0;
    this.#deck = actionKinds.flatMap(([kind]) => {
      const weight = world.plan.weights.get(kind);
      if (weight === undefined) return [];
      upTo += weight;
      return [{ kind, upTo }];
    });
  }

  /** An event has reached the relay: the moment that everybody waits for who wants to leave with it gathered. */
  noteArrival(feed: FeedId): void {
    if (this.#deserted !== feed) return;
    this.#deserted = undefined;
    const { audience } = this.#deps;
    this.#world.clock.soon(() => {
      this.#isOn[feed] = false;
      audience.switchStdout(this.#isOn);
      for (const client of audience.open) if (client.feed.id === feed) audience.leave(client);
    });
  }

  begin(): void {
    const { cluster, audience } = this.#deps;
    const { plan, prng } = this.#world;
    for (let made = 0; made < plan.agents; made++) cluster.addPod();
    cluster.report();
    for (const _ of feeds) audience.join("healthy");
    if (plan.hoards) {
      audience.switchStdout({ alerts: true, logs: true, messages: true });
      audience.stdout.setPace("stuck");
    } else if (prng.chance(0.7)) this.#toggle();
  }

  /** One thing happens. */
  act(): void {
    const { prng } = this.#world;
    const drawn = prng.next() * (this.#deck.at(-1)?.upTo ?? 0);
    const kind = this.#deck.find(({ upTo }) => drawn < upTo)?.kind;
    if (kind !== undefined) this.#do(kind);
  }

  #do(kind: ActionKind): void {
    const { network, cluster, audience } = this.#deps;
    const { prng, trace, clock } = this.#world;
    const pod = prng.pick([...cluster.pods]);
    const agent = pod?.process;
    const link = agent === undefined ? undefined : prng.pick([...agent.links]);
    const feed = prng.oneOf<FeedId>("alerts", "alerts", "logs", "messages");
    trace.note("do", kind, pod?.uid ?? "");
    switch (kind) {
      case "emit":
        agent?.emit(feed, this.#sizes(prng.between(1, 3)));
        break;
      case "burst":
        agent?.emit(feed, this.#sizes(prng.between(10, 40)));
        break;
      case "unreadable":
        agent?.emit(feed, [20], "unreadable");
        break;
      case "notice":
        agent?.emit("alerts", this.#sizes(prng.between(1, 2)), prng.oneOf<EventKind>("notice", "decoy"));
        break;
      case "break-stream":
        agent?.breakStream(
          feed,
          prng.oneOf<StreamFault>("status", "reset", "compressed", "too-large", "truncated", "refused"),
        );
        break;
      case "refuse-feed":
        if (agent?.refused.delete(feed) === false) agent.refused.add(feed);
        break;
      case "health":
        if (agent !== undefined) agent.health = prng.oneOf("answers", "answers", "slow", "fails", "hangs", "absent");
        break;
      case "kill":
        agent?.die(prng.chance(0.4));
        break;
      case "restart":
        this.#restart(pod);
        break;
      case "cut":
        link?.lose("Connection reset");
        break;
      case "freeze":
        link?.freeze();
        if (link !== undefined && prng.chance(0.6)) clock.after(this.#silence(0, 1.2), () => link.thaw());
        break;
      case "goaway":
        if (link === undefined) break;
        link.goaway(
          prng.oneOf(constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM),
        );
        if (prng.chance(0.5)) clock.after(prng.within(0, 2000), () => link.lose("Agent closed the connection"));
        break;
      case "dialling":
        if (pod === undefined) break;
        network.dialModes.set(pod.listensOn, prng.oneOf("open", "open", "closed", "lost", "slow"));
        break;
      case "add-pod":
        if (cluster.pods.size < maxPods) cluster.addPod();
        cluster.reportLater();
        break;
      case "remove-pod":
        if (pod !== undefined && cluster.pods.size > 1) cluster.removePod(pod);
        cluster.reportLater();
        break;
      case "replace-pod":
        if (pod !== undefined) cluster.replacePod(pod);
        cluster.reportLater();
        break;
      case "change-pod":
        if (pod !== undefined) cluster.changePod(pod);
        cluster.reportLater();
        break;
      case "report":
        cluster.report();
        break;
      case "join":
        audience.join(prng.oneOf<Pace>("healthy", "healthy", "slow", "stuck"));
        break;
      case "leave":
        this.#leave();
        break;
      case "storm":
        this.#storm();
        break;
      case "desert":
        this.#deserted = feed;
        break;
      case "odd-request":
        audience.askOddly();
        break;
      case "stick":
        prng.pick([...audience.open])?.setPace(prng.oneOf<Pace>("healthy", "slow", "stuck"));
        break;
      case "toggle":
        this.#toggle();
        break;
      case "limits":
        audience.limit();
        break;
      case "stdout":
        if (prng.chance(0.03)) audience.stdout.break();
        else audience.stdout.setPace(prng.oneOf<Pace>("healthy", "slow", "stuck"));
        break;
    }
  }

  #sizes(count: number): number[] {
    const { prng } = this.#world;
    return Array.from({ length: count }, () => (prng.chance(0.03) ? prng.between(300, 1500) : prng.between(8, 90)));
  }

  #silence(from: number, to: number): number {
    return this.#world.prng.within(from, to) * this.#world.plan.node.silenceMs;
  }

  #restart(pod: SimPod | undefined): void {
    const { cluster } = this.#deps;
    const { prng } = this.#world;
    const dead = prng.pick([...cluster.pods].filter(({ process }) => !process.isAlive)) ?? pod;
    if (dead !== undefined) cluster.restart(dead);
  }

  #leave(): void {
    const { audience } = this.#deps;
    const client = this.#world.prng.pick([...audience.open]);
    if (client !== undefined) audience.leave(client);
  }

  #storm(): void {
    const { audience } = this.#deps;
    const { prng, clock } = this.#world;
    for (let joined = 0; joined < 6; joined++) {
      const client = audience.join(prng.oneOf<Pace>("healthy", "slow", "stuck"));
      if (client === undefined) return;
      if (prng.chance(0.5)) audience.leave(client);
      else clock.after(prng.within(0, 20), () => audience.leave(client));
    }
  }

  #toggle(): void {
    const feed = this.#world.prng.oneOf<FeedId>("alerts", "logs", "messages");
    this.#isOn[feed] = !this.#isOn[feed];
    this.#deps.audience.switchStdout(this.#isOn);
  }
}
