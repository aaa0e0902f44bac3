import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("createLog(): setLevel() changes what is said from then on, by the logs derived from it too", () => {
  const script = `
    import { createLog } from ${JSON.stringify(new URL("log.ts", import.meta.url).href)};
    const log = createLog("warn");
    const part = log.with({ part: 1 });
    log.info("no"); part.info("no");
    log.setLevel("debug");
    log.info("yes"); part.debug("yes");
    log.setLevel("error");
    part.warn("no");
  `;
  const { stderr, stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "");
  const lines = stderr
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly message: string; readonly level: string; readonly part?: number });
  assert.deepEqual(
    lines.map(({ message, level, part }) => [message, level, part]),
    [
      ["yes", "info", undefined],
      ["yes", "debug", 1],
    ],
  );
});
