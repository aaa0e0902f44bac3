import assert from "node:assert/strict";
import { test } from "node:test";
import { testbedKubectl } from "./kubectl.ts";

test("testbedKubectl() keeps its cache with the cluster: without HOME it would be in the checkout", () => {
  const words = testbedKubectl("/bin", "/run/node-1/cp/admin.kubeconfig", "/run/node-1");
  assert.equal(words[words.indexOf("--cache-dir") + 1], "/run/node-1/kubectl-cache");
});
