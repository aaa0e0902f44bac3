import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBoolean, parseDuration, parseFlags, parsePort } from "./flags.ts";

const known = { port: "string", tls: "boolean", agents: "string" } as const;

const cases: Record<string, { argv: string[]; values: Record<string, string>; positional?: string[] }> = {
  "one dash and an equals sign": { argv: ["-port=1"], values: { port: "1" } },
  "two dashes and an equals sign": { argv: ["--port=1"], values: { port: "1" } },
  "a value in the next argument": {
    argv: ["-port", "1", "--agents", "a:1,b:2"],
    values: { port: "1", agents: "a:1,b:2" },
  },
  "a boolean alone is true": { argv: ["-tls", "-port=2"], values: { tls: "true", port: "2" } },
  "a boolean takes a value only with an equals sign": {
    argv: ["-tls=false", "x"],
    values: { tls: "false" },
    positional: ["x"],
  },
  "the last value wins": { argv: ["-port=1", "--port=2"], values: { port: "2" } },
  "an empty value is a value": { argv: ["-port="], values: { port: "" } },
  "an equals sign in the value is kept": { argv: ["-agents=a=b"], values: { agents: "a=b" } },
  "two dashes alone end the flags": { argv: ["--", "-port=1"], values: {}, positional: ["-port=1"] },
  "a single dash is positional": { argv: ["-"], values: {}, positional: ["-"] },
  "the first positional argument ends the flags": {
    argv: ["run", "-port=1"],
    values: {},
    positional: ["run", "-port=1"],
  },
};
for (const [sentence, { argv, values, positional }] of Object.entries(cases)) {
  test(`parseFlags(): ${sentence}`, () => {
    const parsed = parseFlags(argv, known);
    assert.deepEqual(Object.fromEntries(parsed.values), values);
    assert.deepEqual(parsed.positional, positional ?? []);
    assert.deepEqual([parsed.warnings, parsed.errors], [[], []]);
  });
}

test("parseFlags() warns of an unknown flag and reads what follows it", () => {
  const parsed = parseFlags(["-nope", "v", "--newer=1", "-port=3"], known);
  assert.equal(parsed.values.get("port"), "3");
  assert.deepEqual(parsed.warnings, ["Unknown flag -nope is ignored", "Unknown flag -newer is ignored"]);
});

test("parseFlags() refuses a flag whose value is missing", () => {
  assert.deepEqual(parseFlags(["-port"], known).errors, ["Flag -port needs a value"]);
});

test("parseBoolean() reads what Go reads", () => {
  for (const yes of ["1", "t", "T", "true", "TRUE", "True"]) assert.equal(parseBoolean(yes), true, yes);
  for (const no of ["0", "f", "F", "false", "FALSE", "False"]) assert.equal(parseBoolean(no), false, no);
  for (const neither of ["", "yes", "tRUE", "2"]) assert.equal(parseBoolean(neither), undefined, neither);
});

test("parsePort() reads 0 to 65535", () => {
  assert.deepEqual(["0", "32767", "65535"].map(parsePort), [0, 32_767, 65_535]);
  for (const bad of ["", "-1", "65536", "1e3", "http", " 1"]) assert.equal(parsePort(bad), undefined, bad);
});

test("parseDuration() reads what Go reads, from milliseconds to hours", () => {
  const read = { "15s": 15_000, "1m30s": 90_000, "1.5h": 5_400_000, "250ms": 250, "2m": 120_000, "0": 0, "0s": 0 };
  for (const [text, milliseconds] of Object.entries(read)) assert.equal(parseDuration(text), milliseconds, text);
  for (const bad of ["", "15", "s", "-1s", "1 s", "1s ", "1d", "1e3s", "15S", ".s", "1us"])
    assert.equal(parseDuration(bad), undefined, bad);
});
