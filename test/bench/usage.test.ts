import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allowedCores } from "./usage.ts";

describe("allowedCores()", () => {
  const cases: Readonly<Record<string, readonly [list: string, cores: readonly number[]]>> = {
    "reads a range": ["0-3", [0, 1, 2, 3]],
    "reads single cores and ranges": ["1,4-5,9", [1, 4, 5, 9]],
    "reads one core": ["7", [7]],
  };
  for (const [name, [list, cores]] of Object.entries(cases)) {
    it(name, () => assert.deepEqual(allowedCores(`Cpus_allowed:\tff\nCpus_allowed_list:\t${list}\nx:\t1\n`), cores));
  }
});
