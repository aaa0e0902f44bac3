import assert from "node:assert/strict";
import { test } from "node:test";
import { hints } from "./hints.ts";

const local = { kind: "local-node", hints: { kubectl: "hack/testbed/kubectl", inside: "hack/testbed/in" } } as const;
const existing = { kind: "existing", hints: { kubectl: "kubectl --context=x", inside: "" } } as const;

test("hints() on the local node are commands that enter its network", () => {
  const text = hints(local, "10.96.0.7:32767");
  assert.match(text, /^ {2}hack\/testbed\/kubectl -n kubearmor patch .*'\{"spec":\{"stdout":\{"logs":true\}\}\}'$/m);
  assert.match(text, /^ {2}hack\/testbed\/in grpcurl .* 10\.96\.0\.7:32767 feeder\.LogService\/WatchAlerts$/m);
  assert.doesNotMatch(text, /port-forward/);
});

test("hints() elsewhere forward the relay's port to this machine", () => {
  const text = hints(existing, "10.96.0.7:32767");
  assert.match(text, /^ {2}kubectl --context=x -n kubearmor port-forward service\/kubearmor 32767$/m);
  assert.match(text, /^ {2}karmor logs --gRPC=localhost:32767 --json$/m);
  assert.doesNotMatch(text, /10\.96/);
});
