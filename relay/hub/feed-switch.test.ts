import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { FeedSwitch } from "./feed-switch.ts";
import { Hub } from "./hub.ts";

test("FeedSwitch.apply() subscribes to what is on, once, and leaves what is off", () => {
  const hub = new Hub({ pageBytes: 256, minIntervalMs: 1 }, new FakeClock());
  const offered: string[] = [];
  const feedSwitch = new FeedSwitch(hub, { offer: ({ feed, events }) => offered.push(`${events} ${feed}`) });
  const publishAll = () => {
    for (const feed of ["alerts", "logs", "messages"] as const) hub.publish(feed, encodeFrame(Buffer.from("x")), 1);
    hub.flush();
    return offered.splice(0);
  };
  assert.deepEqual(publishAll(), []);
  feedSwitch.apply({ alerts: true, logs: false, messages: false });
  feedSwitch.apply({ alerts: true, logs: false, messages: true });
  assert.deepEqual(publishAll(), ["1 alerts", "1 messages"]);
  feedSwitch.apply({ alerts: false, logs: true, messages: true });
  assert.deepEqual(publishAll(), ["1 logs", "1 messages"]);
});

test("FeedSwitch.expected() sums up the times that a feed was on", () => {
  const hub = new Hub({ pageBytes: 256, minIntervalMs: 1 }, new FakeClock());
  let offered = 0;
  const feedSwitch = new FeedSwitch(hub, {
    offer: ({ events }) => {
      offered += events;
    },
  });
  hub.subscribe("logs", { offer() {} });
  const expected: number[] = [];
  for (const isOn of [true, true, false, true, false, false]) {
    feedSwitch.apply({ alerts: false, logs: isOn, messages: false });
    hub.publish("logs", encodeFrame(Buffer.from("x")), 1);
    hub.flush();
    expected.push(feedSwitch.expected("logs"));
  }
  assert.deepEqual(expected, [1, 2, 2, 3, 3, 3]);
  assert.equal(offered, 3);
  assert.equal(feedSwitch.expected("alerts"), 0);
});
