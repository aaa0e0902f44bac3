import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeWorld } from "./ledger/testing/sources.ts";
import { statusPage } from "./status-page.ts";

const golden = new URL("ledger/testdata/statusz.txt", import.meta.url);

/** What differs from one run to the next. */
const volatile = new Set(["startedMs", "residentBytes", "heapBytes", "externalBytes"]);

test("statusPage() shows all that its sources know, as testdata/statusz.txt has it", async () => {
  await using world = await makeWorld();
  const text = `${JSON.stringify(statusPage(world.sources), hide, 2)}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, "utf8"));
});

test("statusPage() does without what is optional", async () => {
  await using world = await makeWorld();
  const { version, hub, nodes, subscriptions, stdout, watches, settingsErrors } = world.sources;
  const page = statusPage({ version, hub, nodes, subscriptions, stdout, watches, settingsErrors });
  const { settingsHash } = JSON.parse(JSON.stringify(page)) as { readonly settingsHash?: string };
  assert.equal(settingsHash, undefined);
});

function hide(key: string, value: unknown): unknown {
  return volatile.has(key) && Number(value) > 0 ? "a number" : value;
}
