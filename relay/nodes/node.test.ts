import assert from "node:assert/strict";
import { constants } from "node:http2";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { type Log, silentLog } from "../../lib/process/log.ts";
import type { FeedId } from "../feeds.ts";
import type { StreamEndReason } from "../ledger/stream-end.ts";
import type { StreamEnd } from "./grpc-call.ts";
import { Node } from "./node.ts";
import { defaultNodeOptions } from "./node-options.ts";
import { type ScriptedLink, ScriptedLinks } from "./scripted-links.ts";
import { Slots } from "./slots.ts";

const { silenceMs, goawayGraceMs, dialSlotMs } = defaultNodeOptions;
const internal: StreamEnd = { kind: "status", code: Code.INTERNAL, message: "INTERNAL" };
const unimplemented: StreamEnd = { kind: "refused", code: Code.UNIMPLEMENTED, message: "UNIMPLEMENTED" };
const broken: StreamEnd = { kind: "broken", message: "Stream reset" };
const event = Buffer.from([0, 0, 0, 0, 0]);

interface SetupOptions {
  readonly hosts?: readonly string[];
  readonly clock?: FakeClock;
  readonly dialling?: Slots;
  readonly random?: () => number;
  readonly log?: Log;
}

function setup(options: SetupOptions = {}) {
  const { hosts = ["10.0.0.1"], clock = new FakeClock(), dialling = new Slots(8), random = () => 0.5 } = options;
  const links = new ScriptedLinks();
  const published: string[] = [];
  const endpoints = hosts.map((host) => ({ host, port: 1 }));
  const deps = {
    publish: (feed: string) => published.push(feed),
    dialling,
    clock,
    random,
    log: options.log ?? silentLog,
  };
  const node = new Node({ id: "a", name: "node-a", endpoints }, defaultNodeOptions, deps, links.open);
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settled();
  };
  /** Asserts that what is counted grows by one after that time, and not before. */
  const growsAfter = async (ms: number, count: () => number) => {
    const before = count();
    await pass(ms - 1);
    assert.equal(count(), before, `grew before ${ms} ms`);
    await pass(1);
    assert.equal(count(), before + 1, `did not grow after ${ms} ms`);
  };
  /** The last dial succeeds and the agent answers as one. */
  const accept = async (): Promise<ScriptedLink> => {
    await settled();
    const link = links.last.accept();
    await settled();
    link.answerHealth();
    await settled();
    return link;
  };
  const alerts = node.counts.get("alerts") ?? assert.fail();
  return { node, links, clock, published, pass, growsAfter, accept, alerts, dials: () => links.dials.length };
}

/** Lets everything happen that needs no time. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test("Node tries the next address when one does not answer, and stays with the one that did", async () => {
  const { node, links, pass, accept } = setup({ hosts: ["fd00::1", "10.0.0.1", "10.0.0.2"] });
  await settled();
  links.last.refuse();
  await settled();
  await pass(500);
  const link = await accept();
  link.lose();
  await settled();
  await pass(1_000);
  assert.deepEqual(
    links.dials.map(({ endpoint }) => endpoint),
    ["[fd00::1]:1", "10.0.0.1:1", "10.0.0.1:1"],
  );
  await node.close();
});

test("Node waits between connections for at most as long as it has missed its agent, within bounds", async () => {
  const { node, links, pass, growsAfter, dials } = setup();
  await settled();
  const dialsAndWaits = [
    [0, 250],
    [0, 250],
    [500, 500],
    [500, 1_000],
    [5_000, 4_000],
    [15_000, 13_500],
    [10_000, 15_000],
    [0, 15_000],
  ] as const;
  for (const [dialMs, waitMs] of dialsAndWaits) {
    await pass(dialMs);
    links.last.refuse();
    await settled();
    assert.equal(node.state.kind, "waiting");
    await growsAfter(waitMs, dials);
    assert.equal(node.state.kind, "connecting");
  }
  await node.close();
});

test("Node draws every wait between connections anew, from all of the interval", async () => {
  const draws = [0.9, 0.1, 0.5];
  const { node, links, growsAfter, dials } = setup({ random: () => draws.shift() ?? assert.fail() });
  await settled();
  for (const waitMs of [450, 50, 250]) {
    links.last.refuse();
    await settled();
    await growsAfter(waitMs, dials);
  }
  await node.close();
});

const connectionLives: Record<string, { live: (link: ScriptedLink) => number; thenWaitMs: number }> = {
  "one that closes at once is waited for longer": { live: () => 0, thenWaitMs: 1_500 },
  "one that delivers and closes at once is waited for longer": {
    live(link) {
      link.stream("alerts").onRun(event, 1);
      return 0;
    },
    thenWaitMs: 1_500,
  },
  "one that delivered for five seconds starts again": {
    live(link) {
      link.stream("alerts").onRun(event, 1);
      return 5_000;
    },
    thenWaitMs: 250,
  },
  "one that was idle for five seconds is waited for longer": { live: () => 5_000, thenWaitMs: 1_500 },
  "one that was idle for a minute starts again": { live: () => 60_000, thenWaitMs: 250 },
};
for (const [sentence, { live, thenWaitMs }] of Object.entries(connectionLives)) {
  test(`Node after three failures: ${sentence}`, async () => {
    const { node, links, pass, growsAfter, accept, dials } = setup();
    await settled();
    for (const [dialMs, waitMs] of [
      [0, 250],
      [750, 500],
      [500, 1_000],
    ] as const) {
      await pass(dialMs);
      links.last.refuse();
      await settled();
      await pass(waitMs);
    }
    const link = await accept();
    for (let leftMs = live(link); leftMs > 0; leftMs -= 1_000) {
      await pass(1_000);
      link.events.onHeard();
    }
    assert.equal(node.state.kind, "connected");
    link.lose();
    await settled();
    await growsAfter(thenWaitMs, dials);
    await node.close();
  });
}

test("Node does not take waiting for a slot, or for an answer, for stability", async () => {
  const dialling = new Slots(1);
  const held = await dialling.acquire(new AbortController().signal);
  const { node, links, pass, growsAfter, dials } = setup({ dialling });
  held[Symbol.dispose]();
  await settled();
  links.last.refuse();
  await settled();
  const again = await dialling.acquire(new AbortController().signal);
  await pass(60_000);
  assert.equal(dials(), 1);
  again[Symbol.dispose]();
  await settled();
  assert.equal(dials(), 2);
  await pass(60_000);
  links.last.refuse();
  await settled();
  await growsAfter(15_000, dials);
  await node.close();
});

test("Node opens a broken stream again alone, after waits that grow up to the bound", async () => {
  const { node, growsAfter, accept } = setup();
  const link = await accept();
  for (const waitMs of [25, 50, 100, 200, 400, 500, 500]) {
    link.stream("alerts").end(internal);
    await settled();
    await growsAfter(waitMs, () => link.asked("alerts"));
  }
  assert.deepEqual([link.asked("logs"), link.asked("messages")], [1, 1]);
  assert.equal(node.state.kind, "connected");
  await node.close();
});

test("Node waits longer for a stream that the agent refuses to serve", async () => {
  const { node, growsAfter, accept } = setup();
  const link = await accept();
  for (const waitMs of [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
    link.stream("messages").end(unimplemented);
    await settled();
    link.events.onHeard();
    await growsAfter(waitMs, () => link.asked("messages"));
  }
  await node.close();
});

const streamLives: Record<string, (link: ScriptedLink, pass: (ms: number) => Promise<void>) => Promise<void>> = {
  "brought events": (link) => Promise.resolve(link.stream("alerts").onRun(event, 1)),
  "lived for 20 s": async (link, pass) => {
    await pass(10_000);
    link.events.onHeard();
    await pass(10_000);
    link.events.onHeard();
  },
};
for (const [sentence, live] of Object.entries(streamLives)) {
  test(`Node opens a stream again at once, every time, that ${sentence}`, async () => {
    const { node, pass, growsAfter, accept } = setup();
    const link = await accept();
    for (let round = 0; round < 3; round++) {
      link.stream("alerts").end(internal);
      await settled();
      await pass(500);
    }
    for (let round = 0; round < 10; round++) {
      await live(link, pass);
      link.stream("alerts").end(internal);
      await settled();
      await growsAfter(25, () => link.asked("alerts"));
    }
    await node.close();
  });
}

test("Node warns of a stream that ends again and again once a minute", async () => {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, with: () => log, warn: (message) => warnings.push(message) };
  const { node, pass, accept } = setup({ log });
  const link = await accept();
  for (let second = 0; second < 90; second++) {
    link.stream("alerts").onRun(event, 1);
    link.stream("alerts").end(internal);
    link.events.onHeard();
    await settled();
    await pass(1_000);
  }
  assert.deepEqual(warnings, ["Stream ended", "Stream ended"]);
  await node.close();
});

interface StreamCase {
  /** Of the first stream of alerts. */
  readonly act: (link: ScriptedLink) => Promise<void> | void;
  readonly isOpen: boolean;
  readonly end?: StreamEnd;
  readonly breaks: number;
}

const streamCases: Record<string, StreamCase> = {
  "one that was asked for on an agent that has not answered": { act() {}, isOpen: false, end: broken, breaks: 0 },
  "one that the agent has answered": {
    act: (link) => link.stream("alerts").onAnswer(),
    isOpen: true,
    end: internal,
    breaks: 1,
  },
  "an idle one of an agent that has answered its HealthCheck": {
    act: (link) => link.answerHealth(),
    isOpen: true,
    end: internal,
    breaks: 1,
  },
  "one that was refused before the HealthCheck was answered": {
    async act(link) {
      link.stream("alerts").end(unimplemented);
      await settled();
      link.answerHealth();
    },
    isOpen: false,
    breaks: 0,
  },
  "one that was refused after the HealthCheck was answered": {
    act: (link) => link.answerHealth(),
    isOpen: true,
    end: unimplemented,
    breaks: 0,
  },
};
for (const [sentence, { act, isOpen, end, breaks }] of Object.entries(streamCases)) {
  test(`FeedCounts: ${sentence} is ${isOpen ? "" : "not "}open, and its end ${breaks === 1 ? "a" : "no"} break`, async () => {
    const { node, links, alerts } = setup();
    await settled();
    const link = links.last.accept();
    await settled();
    await act(link);
    await settled();
    assert.equal(alerts.isOpen, isOpen);
    if (end !== undefined) link.stream("alerts").end(end);
    await settled();
    assert.deepEqual({ isOpen: alerts.isOpen, breaks: alerts.totals().breaks }, { isOpen: false, breaks });
    await node.close();
    assert.equal(alerts.totals().breaks, breaks);
  });
}

test("FeedCounts: a stream opened again on a healthy connection is open, and none is after the connection", async () => {
  const { node, pass, accept, alerts } = setup();
  const link = await accept();
  link.stream("alerts").end(internal);
  await settled();
  assert.equal(alerts.isOpen, false);
  await pass(50);
  assert.equal(alerts.isOpen, true);
  link.lose();
  await settled();
  assert.deepEqual({ isOpen: alerts.isOpen, breaks: alerts.totals().breaks }, { isOpen: false, breaks: 2 });
  await node.close();
});

test("FeedCounts: hanging up is no break", async () => {
  const { node, accept, alerts } = setup();
  await accept();
  await node.close();
  assert.deepEqual({ isOpen: alerts.isOpen, breaks: alerts.totals().breaks }, { isOpen: false, breaks: 0 });
});

const gapEnds: Record<string, { end: StreamEnd; reason: StreamEndReason }> = {
  "that the agent ended": { end: internal, reason: "status" },
  "that the agent reset": { end: broken, reason: "reset" },
  "with an event that is too large": { end: { kind: "framing", fault: "too-large", message: "" }, reason: "too-large" },
  "with a compressed event": { end: { kind: "framing", fault: "compressed", message: "" }, reason: "compressed" },
  "that ended within an event": { end: { kind: "framing", fault: "truncated", message: "" }, reason: "truncated" },
};
for (const [sentence, { end, reason }] of Object.entries(gapEnds)) {
  test(`FeedCounts: a stream ${sentence} leaves a gap until it is open again`, async () => {
    const { node, clock, pass, accept, alerts } = setup();
    const link = await accept();
    await pass(1_000);
    link.stream("alerts").onRun(event, 1);
    const lastEventMs = clock.now();
    await pass(3_000);
    link.stream("alerts").end(end);
    await settled();
    const fromMs = clock.now();
    assert.deepEqual(alerts.gaps, [{ fromMs, toMs: undefined, reason, lastEventMs }]);
    await pass(25);
    assert.deepEqual(alerts.gaps, [{ fromMs, toMs: fromMs + 25, reason, lastEventMs }]);
    const { ends, breaks, openings, gaps } = alerts.totals();
    assert.deepEqual(
      { [reason]: ends[reason], breaks, openings, gaps },
      { [reason]: 1, breaks: 1, openings: 2, gaps: { count: 1, durationMs: 25 } },
    );
    assert.deepEqual(node.counts.get("logs")?.gaps, [], "the other streams are open");
    await node.close();
  });
}

test("FeedCounts: a lost connection is a gap in every feed, until the agent has answered on the next one", async () => {
  const { node, clock, links, pass, accept } = setup();
  const link = await accept();
  await pass(1_000);
  link.lose();
  await settled();
  const fromMs = clock.now();
  await pass(250);
  const next = links.last.accept();
  await pass(1_000);
  assert.ok(Array.from(node.counts.values()).every(({ gaps }) => gaps[0]?.toMs === undefined));
  next.answerHealth();
  await settled();
  const gap = { fromMs, toMs: fromMs + 1_250, reason: "connection-lost" as const, lastEventMs: undefined };
  for (const counts of node.counts.values()) {
    assert.deepEqual(counts.gaps, [gap]);
    assert.equal(counts.totals().ends["connection-lost"], 1);
  }
  await node.close();
});

test("FeedCounts: a stream that broke and is refused then is one gap, which ends with the node", async () => {
  const { node, pass, accept, alerts } = setup();
  const link = await accept();
  link.stream("alerts").end(internal);
  await settled();
  await pass(25);
  link.stream("alerts").end(unimplemented);
  await settled();
  await pass(100);
  const { breaks, ends, gaps } = alerts.totals();
  assert.deepEqual(
    { breaks, refused: ends.refused, gaps },
    { breaks: 1, refused: 1, gaps: { count: 1, durationMs: 125 } },
  );
  await node.close();
  await pass(1_000);
  assert.deepEqual(alerts.gaps, [{ fromMs: 0, toMs: 125, reason: "status", lastEventMs: undefined }]);
  assert.equal(alerts.totals().gaps.durationMs, 125);
});

const failures: Record<string, (its: ReturnType<typeof setup>, link: ScriptedLink) => Promise<unknown>> = {
  "when it is opened": async (its, link) => {
    link.watchError = new Error("Out of streams");
    link.stream("alerts").end(internal);
    await settled();
    await its.pass(25);
  },
  "while it is open": async (_its, link) => {
    link.stream("alerts").fail(new Error("Out of streams"));
    await settled();
  },
};
for (const [sentence, act] of Object.entries(failures)) {
  test(`Node: a link that fails ${sentence} instead of ending a stream loses its connection, and no stream stays open`, async () => {
    const its = setup();
    const { node, alerts, accept } = its;
    const link = await accept();
    await act(its, link);
    await settled();
    assert.equal(link.isDestroyed, true);
    assert.equal(alerts.isOpen, false);
    assert.equal(alerts.totals().breaks, 1);
    assert.equal(alerts.totals().ends["connection-lost"], 1);
    assert.equal(node.lastError?.message, "Out of streams");
    await node.close();
  });
}

test("Node takes an answer to the HealthCheck for nothing that comes with the connection's loss", async () => {
  const infos: string[] = [];
  const log: Log = { ...silentLog, info: (message) => infos.push(message), with: () => log };
  const { node, links, alerts } = setup({ log });
  await settled();
  const link = links.last.accept();
  await settled();
  link.answerHealth();
  link.lose();
  await settled();
  assert.deepEqual([infos, alerts.totals().openings, alerts.totals().breaks], [[], 0, 0]);
  assert.equal(node.state.kind, "waiting");
  await node.close();
});

test("Node.state says since when, and lastError what went wrong before", async () => {
  const { node, links, pass, accept } = setup({ clock: new FakeClock(1_000_000) });
  assert.deepEqual(node.state, { kind: "connecting", sinceMs: 1_000_000, attempt: 0 });
  assert.deepEqual([node.foundMs, node.lastError], [1_000_000, undefined]);
  await pass(100);
  links.last.refuse();
  await settled();
  const waiting = { kind: "waiting", sinceMs: 1_000_100, attempt: 0, error: "Refused", retryAtMs: 1_000_350 };
  assert.deepEqual(node.state, waiting);
  await pass(250);
  assert.deepEqual(node.state, { kind: "connecting", sinceMs: 1_000_350, attempt: 1 });
  await pass(50);
  await accept();
  assert.deepEqual(node.state, { kind: "connected", sinceMs: 1_000_400, endpoint: "10.0.0.1:1" });
  assert.deepEqual(node.lastError, { message: "Refused", atMs: 1_000_100 });
  await node.close();
  assert.deepEqual(node.state, { kind: "closed", sinceMs: 1_000_400 });
});

test("Node counts what it hands on, and looks for throttle notices among alerts alone", async () => {
  const { node, published, accept, clock } = setup({ clock: new FakeClock(5_000) });
  const link = await accept();
  // Type SystemEvent (17), Operation AlertThreshold (19), of that length.
  const notice = Buffer.from("\0\0\0\0\x1f\x8a\x01\x0bSystemEvent\x9a\x01\x0eAlertThreshold", "latin1");
  link.stream("alerts").onRun(Buffer.concat([event, notice, event]), 3);
  link.stream("logs").onRun(notice, 1);
  link.stream("alerts").onRun(event, 1);
  assert.deepEqual(published, ["alerts", "logs", "alerts"]);
  const received = ["alerts", "logs"].map((feed) => {
    const totals = node.counts.get(feed as FeedId)?.totals();
    return [totals?.events, totals?.bytes];
  });
  assert.deepEqual(received, [
    [4, notice.length + 3 * event.length],
    [1, notice.length],
  ]);
  const { notices, last } = node.throttle.summary();
  assert.deepEqual([notices, last?.atMs], [1, clock.now()]);
  await node.close();
});

const slotCases: Record<string, (first: ReturnType<typeof setup>) => Promise<unknown> | void> = {
  "it is healthy": (first) => first.accept(),
  "its dial fails": (first) => first.links.last.refuse(),
  "its HealthCheck fails": async (first) => {
    const link = first.links.last.accept();
    await settled();
    link.failHealth();
  },
  "it is closed": (first) => first.node.close(),
  "it hangs": (first) => first.pass(dialSlotMs),
};
for (const [sentence, act] of Object.entries(slotCases)) {
  test(`Node gives its slot back when ${sentence}`, async () => {
    const clock = new FakeClock();
    const dialling = new Slots(1);
    const first = setup({ clock, dialling });
    const second = setup({ clock, dialling });
    await settled();
    assert.deepEqual([first.dials(), second.dials()], [1, 0]);
    await act(first);
    await settled();
    assert.equal(second.dials(), 1);
    // One slot, not two: a third must wait for the second.
    const third = setup({ clock, dialling });
    await settled();
    assert.equal(third.dials(), 0);
    await Promise.all([first, second, third].map(({ node }) => node.close()));
    assert.equal(clock.pendingTimers, 0);
  });
}

test("Node holds its slot until the agent has answered", async () => {
  const dialling = new Slots(1);
  const first = setup({ dialling });
  const second = setup({ dialling });
  await settled();
  first.links.last.accept();
  await settled();
  assert.equal(second.dials(), 0);
  await Promise.all([first.node.close(), second.node.close()]);
});

test("Node drops a connection whose HealthCheck fails and tries again", async () => {
  const { node, links, growsAfter, dials } = setup();
  await settled();
  const link = links.last.accept();
  await settled();
  link.failHealth();
  await settled();
  assert.equal(link.isDestroyed, true);
  assert.equal(node.state.kind, "waiting");
  await growsAfter(250, dials);
  await node.close();
});

test("Node lets an agent that says GOAWAY finish its streams, but not for ever", async () => {
  const { node, clock, pass, accept, published } = setup();
  const link = await accept();
  link.isUsable = false;
  link.events.onGoaway(constants.NGHTTP2_NO_ERROR);
  await pass(goawayGraceMs - 1);
  // Servers announce twice; the second time buys none, and costs no timer.
  const timers = clock.pendingTimers;
  link.events.onGoaway(constants.NGHTTP2_NO_ERROR);
  assert.equal(clock.pendingTimers, timers);
  link.stream("alerts").onRun(event, 1);
  assert.deepEqual(published, ["alerts"]);
  assert.equal(link.isDestroyed, false);
  await pass(1);
  assert.equal(link.isDestroyed, true);
  await node.close();
});

test("Node drops a connection whose agent says GOAWAY with an error", async () => {
  const { node, accept } = setup();
  const link = await accept();
  link.events.onGoaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  await settled();
  assert.equal(link.isDestroyed, true);
  await node.close();
});

test("Node drops a connection on which nothing was heard for too long, and no other", async () => {
  const { node, pass, accept } = setup();
  const link = await accept();
  for (let round = 0; round < 3; round++) {
    await pass(silenceMs - 1);
    assert.equal(link.isDestroyed, false);
    link.events.onHeard();
  }
  await pass(silenceMs - 1);
  assert.equal(link.isDestroyed, false);
  await pass(1);
  assert.equal(link.isDestroyed, true);
  assert.equal(node.state.kind, "waiting");
  await node.close();
});

const closings: Record<string, (its: ReturnType<typeof setup>) => Promise<unknown> | void> = {
  dials: settled,
  "waits for the HealthCheck": async ({ links }) => {
    await settled();
    links.last.accept();
    await settled();
  },
  "is connected": ({ accept }) => accept(),
  "waits to open a stream again": async ({ accept }) => {
    const link = await accept();
    link.stream("alerts").end(internal);
    await settled();
  },
  "lets an agent finish": async ({ accept }) => {
    const link = await accept();
    link.events.onGoaway(constants.NGHTTP2_NO_ERROR);
  },
  "waits to connect again": async ({ links }) => {
    await settled();
    links.last.refuse();
    await settled();
  },
};
for (const [sentence, act] of Object.entries(closings)) {
  test(`Node.close() leaves nothing behind while it ${sentence}`, async () => {
    const its = setup();
    await act(its);
    await its.node.close();
    assert.equal(its.node.state.kind, "closed");
    assert.equal(its.clock.pendingTimers, 0);
    await its.pass(120_000);
    assert.equal(its.dials(), 1);
  });
}

test("Node.close() leaves nothing behind while it waits for a slot", async () => {
  const dialling = new Slots(1);
  const held = await dialling.acquire(new AbortController().signal);
  const { node, clock, dials } = setup({ dialling });
  await node.close();
  held[Symbol.dispose]();
  await settled();
  assert.deepEqual(
    { state: node.state.kind, dials: dials(), timers: clock.pendingTimers },
    {
      state: "closed",
      dials: 0,
      timers: 0,
    },
  );
});
