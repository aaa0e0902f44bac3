import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readAccounts } from "./accounts.ts";

const metrics = [
  'kubearmor_relay_subscriber_events_total{feed="alerts",outcome="delivered"} 100',
  'kubearmor_relay_subscriber_events_total{feed="alerts",outcome="mailbox"} 7',
  'kubearmor_relay_subscriber_events_total{feed="logs",outcome="disconnected"} 2',
  'kubearmor_relay_stdout_events_total{feed="logs",outcome="printed"} 1000',
  'kubearmor_relay_stdout_events_total{feed="logs",outcome="mailbox"} 50',
];
const gauges = [
  'kubearmor_relay_unaccounted_events{feed="alerts",hop="hub"} 3',
  'kubearmor_relay_unaccounted_events{feed="alerts",hop="subscribers"} -3',
];

describe("readAccounts()", () => {
  it("sums what was offered and not delivered", () => {
    assert.equal(readAccounts(`${metrics.join("\n")}\n`).dropped, 59);
  });

  it("does not let what was counted twice hide what was not counted", () => {
    assert.equal(readAccounts([...metrics, ...gauges].join("\n")).unaccounted, 6);
  });

  it("tells no gauge from a gauge of 0", () => {
    assert.equal(readAccounts(metrics.join("\n")).unaccounted, undefined);
    assert.equal(readAccounts("kubearmor_relay_unaccounted_events 0\n").unaccounted, 0);
  });
});
