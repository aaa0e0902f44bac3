import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions } from "./options.ts";

test("parseOptions() leaves the choice of the cluster open, and never takes somebody's unasked", () => {
  assert.deepEqual(parseOptions([]), {
    cluster: { kind: undefined, context: undefined, imagePrefix: undefined },
    agents: 50,
    alertsPerSecond: 0.04,
    once: false,
  });
});

test("parseOptions() takes a context as the wish for that cluster, with fewer agents: they run as pods there", () => {
  const options = parseOptions(["--context=prod", "--image-prefix=r.example/x/", "--once"]);
  assert.deepEqual(options?.cluster, { kind: "existing", context: "prod", imagePrefix: "r.example/x/" });
  assert.equal(options?.agents, 5);
  assert.equal(options?.once, true);
});

test("parseOptions() returns nothing when help is asked for", () => {
  assert.equal(parseOptions(["--help"]), undefined);
});

for (const [name, args] of Object.entries({
  "no agents": ["--agents=0"],
  "a rate that is no number": ["--rate=fast"],
  "an empty number": ["--agents="],
  "two clusters": ["--kind", "--existing"],
  "an unknown flag": ["--nodes=3"],
})) {
  test(`parseOptions() refuses ${name}`, () => assert.throws(() => parseOptions(args)));
}
