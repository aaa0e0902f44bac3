import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../lib/process/log.ts";
import { LiveSettings } from "./live-settings.ts";
import type { Settings } from "./settings.ts";

const off: Settings = { stdout: { alerts: false, logs: false, messages: false } };

function live() {
  const changes: string[] = [];
  const settings = new LiveSettings(off, {
    log: silentLog,
    onChange: ({ stdout }) => {
      changes.push(
        Object.entries(stdout)
          .flatMap(([feed, isOn]) => (isOn ? [feed] : []))
          .join("+"),
      );
    },
  });
  return { settings, changes };
}

test("LiveSettings.set() reports a change once", () => {
  const { settings, changes } = live();
  settings.set("configMap", "stdout: {alerts: true}");
  settings.set("configMap", "stdout: { alerts: true, logs: false }");
  assert.deepEqual(changes, ["alerts"]);
});

test("LiveSettings.set() prefers the ConfigMap to the file that lags behind it", () => {
  const { settings, changes } = live();
  settings.set("file", "stdout: {logs: true}");
  settings.set("configMap", "stdout: {alerts: true}");
  settings.set("file", "stdout: {messages: true}");
  assert.deepEqual(changes, ["logs", "alerts"]);
});

test("LiveSettings.set() falls back to the file, then to the start, when a source goes", () => {
  const { settings, changes } = live();
  settings.set("file", "stdout: {logs: true}");
  settings.set("configMap", "stdout: {alerts: true}");
  settings.set("configMap", undefined);
  settings.set("file", undefined);
  assert.deepEqual(changes, ["logs", "alerts", "logs", ""]);
});

test("LiveSettings.set() keeps the last good settings of a source that cannot be read, and says so", () => {
  const { settings, changes } = live();
  settings.set("configMap", "stdout: {alerts: true}");
  settings.set("configMap", "stdout: {alerts: maybe}");
  assert.deepEqual(changes, ["alerts"]);
  assert.match(settings.errors.join(), /configMap: Setting "stdout.alerts" is "maybe"/);
  settings.set("configMap", "stdout: {alerts: true}");
  assert.deepEqual(settings.errors, []);
});
