/** Started by testbed.test.ts to be killed: opens what it is told to, says where it is, and waits. */
import { startControlPlane } from "../../hack/testbed/control-plane.ts";
import { startNode } from "../../hack/testbed/node.ts";

const opened = process.argv[2] === "node" ? await startNode() : await startControlPlane();
process.stdout.write(`${opened.dir}\n`);
setInterval(() => {}, 60_000);
