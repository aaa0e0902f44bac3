import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type JsonField, jsonLineTables, type MessageTable } from "./json-line-table.ts";

const proto = readFileSync(new URL("../../proto/kubearmor.proto", import.meta.url), "utf8");

/** Name, number and type of the fields of a message, in the order in which the contract declares them. */
function declared(message: string): string[] {
  const body = new RegExp(`^message ${message} \\{$([\\s\\S]*?)^\\}$`, "m").exec(proto)?.[1] ?? "";
  return [...body.matchAll(/^ {2}([\w<>, ]+) (\w+) = (\d+);/gm)].map(
    ([, type, name, number]) => `${type} ${name} = ${number}`,
  );
}

const protoTypes = {
  string: "string",
  strings: "repeated string",
  "string-map": "map<string, string>",
  int32: "int32",
  int64: "int64",
};

function tabled(table: MessageTable, partNames: ReadonlyMap<string, string>): string[] {
  const typeOf = ({ name, type }: JsonField) => (typeof type === "string" ? protoTypes[type] : partNames.get(name));
  return table.map((field) => `${typeOf(field)} ${field.name} = ${field.number}`);
}

const parts = new Map([
  ["Owner", "Podowner"],
  ["ExecEvent", "ExecEvent"],
]);

for (const [feed, message] of [
  ["alerts", "Alert"],
  ["logs", "Log"],
  ["messages", "Message"],
] as const) {
  test(`jsonLineTables.${feed} declares the fields of ${message} in their order`, () => {
    assert.ok(declared(message).length > 0, "the contract declares the message");
    assert.deepEqual(tabled(jsonLineTables[feed], parts), declared(message));
  });

  test(`jsonLineTables.${feed} has the parts of ${message} and prints zeros of PPID and UID alone`, () => {
    for (const field of jsonLineTables[feed]) {
      if (typeof field.type !== "string") {
        assert.deepEqual(tabled(field.type, parts), declared(parts.get(field.name) ?? ""), field.name);
      }
      assert.equal(field.printZero, field.name === "PPID" || field.name === "UID", field.name);
    }
  });
}
