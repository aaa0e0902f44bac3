import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand } from "./options.ts";

test("parseCommand() runs the operator unless the first word is a command", () => {
  for (const argv of [[], ["--http-port=1"], ["--kubeconfig", "render"]])
    assert.deepEqual(parseCommand(argv), { kind: "run" });
  const command = parseCommand(["diff", "-f", "relay.yaml", "--kubeconfig=k", "--relay-image=r"]);
  const expected = { kind: "diff", file: "relay.yaml", relayImage: "r", kubeconfig: "k", context: undefined };
  assert.deepEqual(command, expected);
});

const mistakes: Readonly<Record<string, readonly [argv: readonly string[], message: RegExp]>> = {
  "no file": [["render"], /Flag -f is missing/],
  "a flag without its value": [["render", "-f"], /Flag -f needs a value/],
  "a flag that it does not have": [["diff", "-f", "x", "--concurrency=2"], /Unknown flag -concurrency/],
  "another word": [["render", "-f", "x", "y"], /Unexpected argument "y"/],
};

for (const [sentence, [argv, message]] of Object.entries(mistakes)) {
  test(`parseCommand() refuses ${sentence}`, () => {
    const parsed = parseCommand(argv);
    assert.ok(parsed.kind === "invalid");
    assert.match(parsed.errors.join("\n"), message);
  });
}
