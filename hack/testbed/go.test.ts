import assert from "node:assert/strict";
import { test } from "node:test";
import { type GoFound, judgeGo, parseGoDirective, parseGoVersion } from "./go.ts";

const cases: Record<string, { found: GoFound; needed: string; wanted: RegExp | undefined }> = {
  "the same version will do": { found: { kind: "found", version: "1.26.0" }, needed: "1.26.0", wanted: undefined },
  "a newer patch will do": { found: { kind: "found", version: "1.26.8" }, needed: "1.26.0", wanted: undefined },
  "a newer minor with more digits will do": {
    found: { kind: "found", version: "1.100" },
    needed: "1.26.0",
    wanted: undefined,
  },
  "the next major will do": { found: { kind: "found", version: "2.0" }, needed: "1.26.0", wanted: undefined },
  "a Go that can fetch a newer one is told to": {
    found: { kind: "found", version: "1.24.3" },
    needed: "1.26.0",
    wanted: /Go is 1\.24\.3 and 1\.26\.0 or newer.*export GOTOOLCHAIN=go1\.26\.0$/,
  },
  "an old Go has to be replaced": {
    found: { kind: "found", version: "1.19.8" },
    needed: "1.26.0",
    wanted: /go1\.26\.0\.linux-amd64\.tar\.gz/,
  },
  "a missing Go has to be installed": {
    found: { kind: "missing" },
    needed: "1.26.0",
    wanted: /no "go" in PATH.*go\.dev\/dl/,
  },
};

for (const [name, { found, needed, wanted }] of Object.entries(cases)) {
  test(`judgeGo(): ${name}`, () => {
    const verdict = judgeGo(found, needed, "linux/amd64");
    if (wanted === undefined) assert.equal(verdict, undefined);
    else assert.match(verdict ?? "", wanted);
  });
}

test("parseGoVersion() reads what `go version` and `go env GOVERSION` print", () => {
  assert.equal(parseGoVersion("go version go1.26.8 linux/amd64\n"), "1.26.8");
  assert.equal(parseGoVersion("go1.27rc1\n"), "1.27");
  assert.equal(parseGoVersion("devel"), undefined);
});

test("parseGoDirective() reads the go line of a go.mod", () => {
  assert.equal(parseGoDirective("module x\n\ngo 1.26.0\n\nrequire a v1.0.0\n"), "1.26.0");
});
