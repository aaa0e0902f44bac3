import assert from "node:assert/strict";
import { test } from "node:test";
import { buildKey, buildPlan, type InputFile, readInputs } from "./plan.ts";

const plan = buildPlan("linux", "amd64");
const file = (path: string, content: string): InputFile => ({ path, content: Buffer.from(content) });
const files = [file("a/go.mod", "module a"), file("a/main.go", "package main")];
const key = buildKey(plan, files);

const changes: Record<string, { plan: ReturnType<typeof buildPlan>; files: readonly InputFile[] }> = {
  "another architecture": { plan: buildPlan("linux", "arm64"), files },
  "a changed file": { plan, files: [file("a/go.mod", "module a"), file("a/main.go", "package  main")] },
  "a renamed file": { plan, files: [file("a/go.mod", "module a"), file("a/other.go", "package main")] },
  "one file more": { plan, files: [...files, file("a/more.go", "package main")] },
  "bytes that move from one file to the next": {
    plan,
    files: [file("a/go.mod", "module apackage "), file("a/main.go", "main")],
  },
  "one program more": {
    plan: { ...plan, programs: [...plan.programs, { name: "x", package: "./x" }] },
    files,
  },
  "other linker flags": { plan: { ...plan, ldflags: "-s" }, files },
};

for (const [name, changed] of Object.entries(changes)) {
  test(`buildKey() differs for ${name}`, () => assert.notEqual(buildKey(changed.plan, changed.files), key));
}

test("buildKey() does not depend on the order in which files were found", () => {
  assert.equal(buildKey(plan, files.toReversed()), key);
  assert.match(key, /^[0-9a-f]{16}$/);
});

test("buildPlan() leaves out the node's programs where there is no node", () => {
  assert.ok(namesOn("linux").includes("kubelet"));
  assert.ok(!namesOn("darwin").includes("kubelet"));
  assert.ok(namesOn("darwin").includes("kubebox"));
});

function namesOn(os: string): string[] {
  return buildPlan(os, "arm64").programs.map(({ name }) => name);
}

test("readInputs() finds the sources and pins of the module, and nothing else", () => {
  const paths = readInputs(import.meta.dirname, plan).map((input) => input.path);
  assert.ok(paths.includes("programs/go.sum"));
  assert.ok(paths.includes("programs/kubebox/main.go"));
  assert.deepEqual(
    paths.filter((path) => !/\.go$|go\.(mod|sum)$/.test(path)),
    [],
  );
});
