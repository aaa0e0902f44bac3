import assert from "node:assert/strict";
import { test } from "node:test";
import { isSelector } from "./settings-reader.ts";
import { defaultSettings, parseSettings, type Settings, settingsHash } from "./settings.ts";

const base: Settings = { ...defaultSettings, stdout: { alerts: true, logs: false, messages: false } };

const good: Record<string, { text: string; change?: Partial<Settings> }> = {
  "an empty document changes nothing": { text: "" },
  "an empty section changes nothing": { text: "stdout:\nlimits:\nclusterName:\n" },
  "what is said counts, what is not stays": {
    text: "stdout: {logs: true}",
    change: { stdout: { alerts: true, logs: true, messages: false } },
  },
  "all three switches": {
    text: "stdout:\n  alerts: false\n  logs: true\n  messages: true\n",
    change: { stdout: { alerts: false, logs: true, messages: true } },
  },
  "a cluster's name": { text: "clusterName: Größe 1", change: { clusterName: "Größe 1" } },
  "no cluster's name any more": { text: 'clusterName: ""', change: { clusterName: "" } },
  "enrichment off": { text: "enrichment: {remoteHost: false}", change: { enrichment: { remoteHost: false } } },
  "limits as numbers": {
    text: "limits: {maxSubscribers: 3, mailboxBytes: 65536, bufferBytes: 20000000}",
    change: { limits: { maxSubscribers: 3, mailboxBytes: 65_536, bufferBytes: 20_000_000 } },
  },
  "limits as quantities": {
    text: "limits: {mailboxBytes: 16Mi, bufferBytes: 1Gi}",
    change: { limits: { maxSubscribers: 200, mailboxBytes: 16 * 1024 ** 2, bufferBytes: 1024 ** 3 } },
  },
  "the least and the most of everything": {
    text: "limits: {maxSubscribers: 4000, mailboxBytes: 16Gi, bufferBytes: 16Mi}",
    change: { limits: { maxSubscribers: 4_000, mailboxBytes: 16 * 1024 ** 3, bufferBytes: 16 * 1024 ** 2 } },
  },
  "agents, their namespaces each once and in order": {
    text: "agents: {namespaces: [b, a, b], selector: 'k=v, tier in (a,b), !x', port: 40000}",
    change: { agents: { namespaces: ["a", "b"], selector: "k=v, tier in (a,b), !x", port: 40_000 } },
  },
  "the log's level": { text: "logLevel: debug", change: { logLevel: "debug" } },
};
for (const [sentence, { text, change }] of Object.entries(good)) {
  test(`parseSettings(): ${sentence}`, () => {
    assert.deepEqual(parseSettings(text, base), { kind: "settings", settings: { ...base, ...change } });
  });
}

const bad: Record<string, { text: string; errors: RegExp[] }> = {
  "every problem is named": {
    text: "stdout: {alerts: yes please, alarms: true}\nsink: 1\nclusterName: [a]\nlimits: {mailboxBytes: 1}\nagents: {namespace: a}",
    errors: [
      /"stdout.alerts" is "yes please"/,
      /"clusterName" is \["a"\]/,
      /"limits.mailboxBytes" is 1, wanted: bytes from 65536/,
      /"sink" is not known, wanted: stdout, enrichment/,
      /"stdout.alarms" is not known, wanted: alerts, logs, messages/,
      /"agents.namespace" is not known/,
    ],
  },
  "text that is no YAML is refused": { text: "stdout: {", errors: [/flow map/i] },
  "two values for a setting are refused": { text: "stdout: {}\nstdout: {}", errors: [/unique/i] },
  "an alias of nothing": { text: "stdout: *nothing", errors: [/alias/i] },
  "a list is no settings": { text: "[1]", errors: [/Settings are \[1\], wanted: a map/] },
  "a section is a map": { text: "limits: 5", errors: [/"limits" is 5, wanted: a map/] },
  "a name is one line of text": { text: 'clusterName: "a\\nb"', errors: [/"clusterName"/] },
  "nobody may subscribe": { text: "limits: {maxSubscribers: 0}", errors: [/from 1 to/] },
  "more subscribers than calls are served": { text: "limits: {maxSubscribers: 4001}", errors: [/from 1 to 4000/] },
  "a buffer for few large events": { text: "limits: {bufferBytes: 16777215}", errors: [/"limits.bufferBytes"/] },
  "a buffer that no process can hold": { text: "limits: {bufferBytes: 17179869185}", errors: [/"limits.bufferBytes"/] },
  "half a byte": { text: "limits: {bufferBytes: 20000000.5}", errors: [/"limits.bufferBytes"/] },
  "bytes in words": { text: "limits: {bufferBytes: 64 MB}", errors: [/"limits.bufferBytes" is "64 MB"/] },
  "an empty selector would be every pod of the cluster": { text: 'agents: {selector: ""}', errors: [/selector/] },
  "a selector with a gap": { text: "agents: {selector: 'a=b,,c=d'}", errors: [/selector/] },
  "a namespace that cannot be": { text: "agents: {namespaces: [A_b]}", errors: [/namespaces/] },
  "a port that cannot be": { text: "agents: {port: 0}", errors: [/"agents.port" is 0/] },
  "a level that is none": { text: "logLevel: loud", errors: [/wanted: error, warn, info, debug/] },
};
for (const [sentence, { text, errors }] of Object.entries(bad)) {
  test(`parseSettings(): refused: ${sentence}`, () => {
    const parsed = parseSettings(text, base);
    assert.equal(parsed.kind, "refused");
    if (parsed.kind !== "refused") return;
    assert.equal(parsed.errors.length, errors.length, parsed.errors.join("; "));
    for (const [index, error] of errors.entries()) assert.match(parsed.errors[index] ?? "", error);
  });
}

function hashOf(text: string): string {
  const parsed = parseSettings(text, base);
  if (parsed.kind === "refused") assert.fail(parsed.errors.join("; "));
  return settingsHash(parsed.settings);
}

test("settingsHash() is the same for the same settings, said by whatever text, and another for others", () => {
  assert.equal(hashOf("limits: {mailboxBytes: 16Mi}\nstdout: {}"), hashOf("limits:\n  mailboxBytes: 16777216\n"));
  assert.notEqual(hashOf("logLevel: debug"), hashOf("logLevel: warn"));
  assert.match(hashOf(""), /^[0-9a-f]{12}$/);
});

const longest = `${"a.".repeat(126)}a`;
const selectors: Readonly<Record<string, boolean>> = {
  "a=b": true,
  "a.b/c == d , e!=f": true,
  "!a, b": true,
  "a in (b, c),d notin (e)": true,
  "a in (,b)": true,
  "a=": true,
  [`${longest}/${"x".repeat(63)}=${"y".repeat(63)}`]: true,
  "a..b/x=y": false,
  "-a/x=y": false,
  "a-.b/x=y": false,
  "A/x=y": false,
  "a/b/c=d": false,
  "a in ()": false,
  "a in ( )": false,
  "a notin ()": false,
  "a=b c": false,
  [`a${longest}/x=y`]: false,
  [`${"x".repeat(64)}=y`]: false,
  [`x=${"y".repeat(64)}`]: false,
  [`x in (${"y".repeat(64)})`]: false,
};

test("isSelector() is as strict as the API server", () => {
  for (const [text, isOne] of Object.entries(selectors)) assert.equal(isSelector(text), isOne, text);
});
