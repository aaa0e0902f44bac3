import assert from "node:assert/strict";
import { isNodeRequired } from "../../hack/testbed/config.ts";
import { whyNoNode } from "../../hack/testbed/node/requirements.ts";

/**
 * For the `skip` option of tests that need a real node: false, or the reason why none can run here. The reason is
 * printed as well, since a skipped end-to-end test looks much like a passed one.
 * @throws where KUBEARMOR_RELAY_REQUIRE_NODE=1 says that a skip is a failure, as in CI
 */
export async function skipWithoutNode(): Promise<string | false> {
  const reason = await whyNoNode();
  if (reason === undefined) return false;
  assert.ok(!isNodeRequired(), `No node can run here, and KUBEARMOR_RELAY_REQUIRE_NODE=1: ${reason}`);
  process.stderr.write(`\n*** SKIPPED: tests on a real node do not run here: ${reason} ***\n\n`);
  return reason;
}

/** Asks until `holds` is true; rejects after `timeoutMs` with `what`. For states of other processes, which send no events. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`Not so after ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
