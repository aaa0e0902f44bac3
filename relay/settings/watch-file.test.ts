import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../../lib/process/clock.ts";
import { FakeClock } from "../../lib/process/fake-clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import type { SettingsText } from "./live-settings.ts";
import { watchSettingsFile } from "./watch-file.ts";

function textOf(read: SettingsText): string | undefined {
  return read.kind === "text" ? read.text : undefined;
}

async function watched(path: string, clock = systemClock) {
  const texts: (string | undefined)[] = [];
  const onRead = (read: SettingsText) => texts.push(read.kind === "failed" ? "failed" : textOf(read));
  const watch = await watchSettingsFile(path, onRead, { clock, log: silentLog, lookEveryMs: 10 });
  const until = async (text: string | undefined) => {
    while (texts.at(-1) !== text) await pause(5);
  };
  return { texts, until, watch };
}

async function folder() {
  const path = await mkdtemp(join(tmpdir(), "kubearmor-relay-settings-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** As the kubelet does it: a folder for every version, and a link that is replaced by a rename. */
async function publish(volume: string, version: string, text: string): Promise<void> {
  await mkdir(join(volume, version));
  await writeFile(join(volume, version, "config.yaml"), text);
  await symlink(version, join(volume, "..data_tmp"));
  await rename(join(volume, "..data_tmp"), join(volume, "..data"));
}

test("watchSettingsFile() follows a mounted ConfigMap whose link is swapped", async () => {
  await using volume = await folder();
  await publish(volume.path, "..1", "a: 1");
  await symlink(join("..data", "config.yaml"), join(volume.path, "config.yaml"));
  const { texts, until, watch } = await watched(join(volume.path, "config.yaml"));
  using _ = watch;
  assert.deepEqual(texts, ["a: 1"]);
  await publish(volume.path, "..2", "a: 2");
  await until("a: 2");
  await publish(volume.path, "..3", "a: 3");
  await until("a: 3");
  assert.deepEqual(texts, ["a: 1", "a: 2", "a: 3"]);
});

test("watchSettingsFile() reports no half of a file that is being written", async () => {
  await using volume = await folder();
  const path = join(volume.path, "config.yaml");
  await writeFile(path, "a: 1");
  const clock = new FakeClock();
  const { texts, watch } = await watched(path, clock);
  using _ = watch;
  const looked = async () => {
    while (clock.pendingTimers === 0) await pause(5);
  };
  await writeFile(path, "a: 2\nb:");
  await looked();
  await writeFile(path, "a: 2\nb: 3\n");
  while (texts.length === 1) {
    await looked();
    clock.advance(200);
    await pause(5);
  }
  assert.deepEqual(texts, ["a: 1", "a: 2\nb: 3\n"]);
});

test("watchSettingsFile() reports a file that goes, and one that comes", async () => {
  await using volume = await folder();
  const path = join(volume.path, "config.yaml");
  const { texts, until, watch } = await watched(path);
  using _ = watch;
  assert.deepEqual(texts, [undefined]);
  await writeFile(path, "a: 1");
  await until("a: 1");
  await rm(path);
  await until(undefined);
  assert.deepEqual(texts, [undefined, "a: 1", undefined]);
});

test("watchSettingsFile() reports nothing after its end", async () => {
  await using volume = await folder();
  const path = join(volume.path, "config.yaml");
  const { texts, watch } = await watched(path);
  watch[Symbol.dispose]();
  await writeFile(path, "a: 1");
  // Ten looks, had it gone on.
  await pause(100);
  assert.deepEqual(texts, [undefined]);
});

test("watchSettingsFile(): a file that is there and cannot be read is not gone, and is read as soon as it can be", async () => {
  await using volume = await folder();
  const path = join(volume.path, "config.yaml");
  await writeFile(path, "a: 1");
  const { texts, until, watch } = await watched(path);
  using _ = watch;
  await rm(path);
  // A folder is there, and no file to be read.
  await mkdir(path);
  await until("failed");
  await rename(path, join(volume.path, "away"));
  await writeFile(path, "a: 2");
  await until("a: 2");
  assert.deepEqual(
    texts.filter((text) => text !== undefined),
    ["a: 1", "failed", "a: 2"],
  );
});

test("watchSettingsFile() tries again to read what it could not, though nothing changes", async () => {
  await using volume = await folder();
  const clock = new FakeClock();
  // A folder is there, and no file to be read.
  const { texts, watch } = await watched(volume.path, clock);
  using _ = watch;
  for (let again = 0; again < 3; again++) {
    while (clock.pendingTimers === 0) await pause(5);
    assert.deepEqual(texts, ["failed"], "told once");
    clock.advance(200);
  }
});

test("watchSettingsFile(): however often a file changes that cannot be read, it is tried again one at a time", async () => {
  await using volume = await folder();
  const clock = new FakeClock();
  const { texts, watch } = await watched(volume.path, clock);
  using _ = watch;
  for (let change = 1; change <= 3; change++) {
    const before = clock.pendingTimers;
    await writeFile(join(volume.path, String(change)), "");
    while (clock.pendingTimers === before) await pause(5);
  }
  for (let round = 0; round < 6; round++) {
    clock.advance(200);
    await pause(20);
  }
  assert.deepEqual([texts, clock.pendingTimers], [["failed"], 1]);
});

test("watchSettingsFile(): of two changes one after the other only the last is reported", async () => {
  await using volume = await folder();
  const path = join(volume.path, "config.yaml");
  await writeFile(path, "a: 1");
  const clock = new FakeClock();
  const { texts, watch } = await watched(path, clock);
  using _ = watch;
  await writeFile(path, "a: 2");
  while (clock.pendingTimers < 1) await pause(5);
  await writeFile(path, "a: 33");
  // Both look now: the first change's look must leave the report to the second's.
  while (clock.pendingTimers < 2) await pause(5);
  while (texts.length < 2) {
    clock.advance(200);
    await pause(5);
  }
  for (let more = 0; more < 5; more++) {
    clock.advance(200);
    await pause(5);
  }
  assert.deepEqual(texts, ["a: 1", "a: 33"]);
});

test("watchSettingsFile(): its end breaks off what it waits for", async () => {
  await using volume = await folder();
  const path = join(volume.path, "config.yaml");
  await writeFile(path, "a: 1");
  const clock = new FakeClock();
  const { texts, watch } = await watched(path, clock);
  await writeFile(path, "a: 2");
  while (clock.pendingTimers === 0) await pause(5);
  watch[Symbol.dispose]();
  await pause(5);
  assert.equal(clock.pendingTimers, 0);
  clock.advance(60_000);
  await pause(20);
  assert.deepEqual(texts, ["a: 1"]);
});
