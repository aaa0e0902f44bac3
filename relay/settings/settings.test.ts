import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSettings, type Settings } from "./settings.ts";

const base: Settings = { stdout: { alerts: true, logs: false, messages: false } };

const good: Record<string, { text: string; stdout: Settings["stdout"] }> = {
  "an empty document changes nothing": { text: "", stdout: base.stdout },
  "what is said counts, what is not stays": {
    text: "stdout: {logs: true}",
    stdout: { alerts: true, logs: true, messages: false },
  },
  "all three switches": {
    text: "stdout:\n  alerts: false\n  logs: true\n  messages: true\n",
    stdout: { alerts: false, logs: true, messages: true },
  },
  "an empty section changes nothing": { text: "stdout:\n", stdout: base.stdout },
};
for (const [sentence, { text, stdout }] of Object.entries(good)) {
  test(`parseSettings(): ${sentence}`, () => {
    assert.deepEqual(parseSettings(text, base), { kind: "settings", settings: { stdout } });
  });
}

const bad: Record<string, { text: string; errors: RegExp[] }> = {
  "every problem is named": {
    text: "stdout: {alerts: yes please, alarms: true}\nsink: 1",
    errors: [/"stdout.alerts" is "yes please"/, /"stdout.alarms" is not known/, /"sink" is not known/],
  },
  "text that is no YAML is refused": { text: "stdout: {", errors: [/flow map/i] },
  "a list is no settings": { text: "[1]", errors: [/"settings" is \[1\], it must be a map/] },
};
for (const [sentence, { text, errors }] of Object.entries(bad)) {
  test(`parseSettings(): ${sentence}`, () => {
    const parsed = parseSettings(text, base);
    assert.equal(parsed.kind, "refused");
    if (parsed.kind !== "refused") return;
    assert.equal(parsed.errors.length, errors.length, parsed.errors.join("; "));
    for (const [index, error] of errors.entries()) assert.match(parsed.errors[index] ?? "", error);
  });
}
