import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { encodeEvent, feedNames } from "./contract.ts";
import { encodeTime, fill, makeTemplate } from "./encoder.ts";
import { findMark, markPrefix, markText } from "./mark.ts";
import { seededRandom } from "./random.ts";
import { makeScenes } from "./scenes.ts";

const place = { host: "node-3", hostIp: "10.201.0.4", cluster: "default" };
const nowMs = Date.UTC(2026, 10, 23, 12, 0, 0, 42);

for (const feed of feedNames) {
  test(`fill() makes ${feed} that are byte for byte what protobufjs makes of the whole`, () => {
    for (const scene of makeScenes[feed](place, seededRandom(7))) {
      for (const number of [1, 10, 123456789]) {
        const mark = markText(markPrefix("agent-3", "abc.1", feed), number, nowMs * 1000);
        const marked =
          feed === "messages"
            ? { Message: `${String(scene["Message"])}${mark}` }
            : { EventData: { ...(scene["EventData"] as object | undefined), Sim: mark } };
        const whole = encodeEvent(feed, {
          Timestamp: Math.floor(nowMs / 1000),
          UpdatedTime: "2026-11-23T12:00:00.042000Z",
          ...scene,
          ...marked,
        });
        assert.deepEqual(fill(makeTemplate(feed, scene), encodeTime(nowMs), mark), whole);
      }
    }
  });
}

test("makeScenes alerts are of about 600 bytes and hold each kind an agent sends", () => {
  const alerts = makeScenes.alerts(place, seededRandom(1));
  const sizes = alerts.map((scene) => encodeEvent("alerts", scene).length);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  assert.ok(mean > 500 && mean < 700, `${mean} bytes`);
  const types = new Set(alerts.map((scene) => scene["Type"]));
  assert.deepEqual(types, new Set(["SystemEvent", "MatchedHostPolicy", "MatchedPolicy"]));
  const actions = new Set(alerts.map((scene) => scene["Action"]));
  assert.deepEqual(actions, new Set([undefined, "Audit", "Block"]));
});

test("encodeEvent() makes the same bytes as agents do, from the events of the golden data", () => {
  const golden = fileURLToPath(new URL("../../test/fixtures/events.jsonl", import.meta.url));
  let compared = 0;
  for (const line of readFileSync(golden, "utf8").trimEnd().split("\n")) {
    const vector = JSON.parse(line) as { name: string; kind: string; class: string; wire: string; json: string };
    if (vector.class !== "real") continue;
    const event = JSON.parse(vector.json) as Record<string, unknown>;
    // Go prints these two when 0, and writes the entries of a map in any order.
    for (const key of ["PPID", "UID"]) if (event[key] === 0) delete event[key];
    if (Object.keys((event["EventData"] as object | undefined) ?? {}).length > 1) continue;
    const feed = feedNames.find((name) => name === `${vector.kind}s`);
    assert.ok(feed !== undefined);
    assert.equal(encodeEvent(feed, event).toString("base64"), vector.wire, vector.name);
    compared += 1;
  }
  assert.ok(compared > 10, `${compared} events`);
});

test("findMark() reads a mark from bytes and from a JSON line, and nothing where there is none", () => {
  const text = markText(markPrefix("agent-0", "abc.2", "logs"), 42, 1761955200123456);
  const mark = { agent: "agent-0", epoch: "abc.2", feed: "logs", number: 42, producedUs: 1761955200123456 };
  assert.deepEqual(findMark(Buffer.from(`x${text}y`)), mark);
  assert.deepEqual(findMark(`{"EventData":{"Sim":"${text}"}}`), mark);
  for (const other of ["", "sim:", "sim:a/b/logs/1@2", "sim:a/b/files/1@2;", "sim:a/logs/1@2;"]) {
    assert.equal(findMark(other), undefined, other);
    assert.equal(findMark(Buffer.from(other)), undefined, other);
  }
});
