import assert from "node:assert/strict";
import { test } from "node:test";
import { readOperatorOptions } from "./operator-options.ts";

test("readOperatorOptions(): what is required is measured as it is required", () => {
  const { relays, idleMs, toggles, parts } = readOperatorOptions([]);
  assert.deepEqual({ relays, idleMs, toggles }, { relays: 200, idleMs: 300_000, toggles: 100 });
  assert.deepEqual([...parts], ["load", "failover", "toggle"]);
});

test("readOperatorOptions(): a part of it, smaller", () => {
  const { relays, kills, parts } = readOperatorOptions(["--relays=20", "--kills=1", "--only=toggle,load"]);
  assert.deepEqual({ relays, kills, parts: [...parts] }, { relays: 20, kills: 1, parts: ["toggle", "load"] });
});

const refused: Readonly<Record<string, readonly [readonly string[], RegExp]>> = {
  "a part that there is not": [["--only=load,speed"], /'speed'/],
  "no relays": [["--relays=0"], /--relays: current value is '0'/],
  "half a toggle": [["--toggles=0.5"], /--toggles/],
  "an unknown option": [["--rounds=2"], /--rounds/],
};

for (const [name, [args, message]] of Object.entries(refused)) {
  test(`readOperatorOptions(): ${name} is refused`, () => assert.throws(() => readOperatorOptions(args), message));
}
