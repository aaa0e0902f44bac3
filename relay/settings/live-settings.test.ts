import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../lib/process/log.ts";
import { textHash } from "../../lib/process/text-hash.ts";
import { LiveSettings } from "./live-settings.ts";
import { defaultSettings } from "./settings.ts";

function live() {
  const changes: string[] = [];
  const settings = new LiveSettings(defaultSettings, {
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
  settings.set("configMap", { kind: "text", text: "stdout: {alerts: true}" });
  settings.set("configMap", { kind: "text", text: "stdout: { alerts: true, logs: false }" });
  assert.deepEqual(changes, ["alerts"]);
});

test("LiveSettings.set() prefers the ConfigMap to the file that lags behind it", () => {
  const { settings, changes } = live();
  settings.set("file", { kind: "text", text: "stdout: {logs: true}" });
  settings.set("configMap", { kind: "text", text: "stdout: {alerts: true}" });
  settings.set("file", { kind: "text", text: "stdout: {messages: true}" });
  assert.deepEqual(changes, ["logs", "alerts"]);
});

test("LiveSettings.set() falls back to the file, then to the start, when a source goes", () => {
  const { settings, changes } = live();
  settings.set("file", { kind: "text", text: "stdout: {logs: true}" });
  settings.set("configMap", { kind: "text", text: "stdout: {alerts: true}" });
  settings.set("configMap", { kind: "gone" });
  settings.set("file", { kind: "gone" });
  assert.deepEqual(changes, ["logs", "alerts", "logs", ""]);
});

test("LiveSettings.set() keeps the last good settings of a source that cannot be read, and says so", () => {
  const { settings, changes } = live();
  settings.set("configMap", { kind: "text", text: "stdout: {alerts: true}" });
  settings.set("configMap", { kind: "text", text: "stdout: {alerts: maybe}" });
  assert.deepEqual(changes, ["alerts"]);
  assert.match(settings.errors.join(), /configMap: Setting "stdout.alerts" is "maybe"/);
  assert.equal(settings.current.stdout.alerts, true);
  settings.set("configMap", { kind: "text", text: "stdout: {alerts: true}" });
  assert.deepEqual(settings.errors, []);
});

test("LiveSettings.hash is that of what is in force", () => {
  const { settings } = live();
  const before = settings.hash;
  settings.set("file", { kind: "text", text: "stdout: {logs: true}" });
  assert.notEqual(settings.hash, before);
  settings.set("file", { kind: "gone" });
  assert.equal(settings.hash, before);
});

test("LiveSettings.set() keeps the settings of a source that is there and cannot be read, and says so", () => {
  const { settings, changes } = live();
  settings.set("file", { kind: "text", text: "stdout: {alerts: true}" });
  settings.set("file", { kind: "failed", error: new Error("EIO") });
  assert.deepEqual(changes, ["alerts"]);
  assert.deepEqual(settings.errors, ["file: EIO"]);
  settings.set("file", { kind: "gone" });
  assert.deepEqual([changes, settings.errors], [["alerts", ""], []]);
});

const good = "stdout: {alerts: true}";
const bad = "stdout: {alerts: maybe}";

test("LiveSettings.textHash is that of the text in force, whatever its source, and of no text that was refused", () => {
  const { settings } = live();
  assert.equal(settings.textHash, undefined);
  settings.set("file", { kind: "text", text: "stdout: {logs: true}" });
  assert.equal(settings.textHash, textHash("stdout: {logs: true}"));
  settings.set("configMap", { kind: "text", text: good });
  settings.set("configMap", { kind: "text", text: bad });
  assert.equal(settings.textHash, textHash(good));
  settings.set("configMap", { kind: "text", text: `${good} # the same` });
  assert.equal(settings.textHash, textHash(`${good} # the same`));
});

test("LiveSettings.refused names what is wrong with the source that decides, and not with the file behind it", () => {
  const { settings } = live();
  assert.deepEqual(settings.refused, []);
  settings.set("file", { kind: "text", text: bad });
  const refused = ['Setting "stdout.alerts" is "maybe", wanted: true or false'];
  assert.deepEqual(settings.refused, refused);
  settings.set("configMap", { kind: "text", text: good });
  assert.deepEqual(settings.refused, []);
  settings.set("configMap", { kind: "text", text: bad });
  assert.deepEqual(settings.refused, refused);
});

test("LiveSettings.set() tells of every word of a source, when it is in force", () => {
  const words: string[] = [];
  const settings: LiveSettings = new LiveSettings(defaultSettings, {
    log: silentLog,
    onChange: () => words.push("change"),
    onWord: (source) => words.push(`${source} ${String(settings.current.stdout.alerts)}`),
  });
  settings.set("configMap", { kind: "text", text: good });
  settings.set("configMap", { kind: "text", text: bad });
  settings.set("file", { kind: "gone" });
  assert.deepEqual(words, ["change", "configMap true", "configMap true", "file true"]);
});
