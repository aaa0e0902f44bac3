/**
 * As much of a Kubernetes API as a relay needs that finds its agents there and nowhere else: pods and services to list and
 * to watch, where nothing ever changes. `node kube-api.ts PORT PODIP…`; prints a line when it listens, ends with its input.
 */
import { createServer, type ServerResponse } from "node:http";

const [port = "", ...podIps] = process.argv.slice(2);
const resourceVersion = "1";

const pods = podIps.map((podIP, i) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: `agent-${i}`,
    namespace: "kubearmor",
    uid: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
    resourceVersion,
    labels: { "kubearmor-app": "kubearmor" },
  },
  spec: { containers: [{ name: "kubearmor", image: "kubearmor" }], hostNetwork: true, nodeName: `node-${i}` },
  status: { phase: "Running", podIP, podIPs: [{ ip: podIP }], hostIP: podIP },
}));

const resources: Readonly<Record<string, { readonly kind: string; readonly items: readonly unknown[] }>> = {
  "/api/v1/pods": { kind: "Pod", items: pods },
  "/api/v1/services": { kind: "Service", items: [] },
};

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://api");
  const resource = resources[url.pathname];
  response.setHeader("content-type", "application/json");
  if (resource === undefined) {
    response.writeHead(404).end(JSON.stringify({ apiVersion: "v1", kind: "Status", status: "Failure", code: 404 }));
  } else if (url.searchParams.get("watch") === null) {
    const { kind, items } = resource;
    response.end(JSON.stringify({ apiVersion: "v1", kind: `${kind}List`, metadata: { resourceVersion }, items }));
  } else {
    watch(response, resource, url.searchParams.get("sendInitialEvents") === "true");
  }
});

/** A watch stays open and silent, after the streaming list of KEP-3157 if the client asked for one. */
function watch(response: ServerResponse, { kind, items }: { kind: string; items: readonly unknown[] }, list: boolean) {
  response.writeHead(200);
  response.flushHeaders();
  if (!list) return;
  for (const object of items) response.write(`${JSON.stringify({ type: "ADDED", object })}\n`);
  const metadata = { resourceVersion, annotations: { "k8s.io/initial-events-end": "true" } };
  response.write(`${JSON.stringify({ type: "BOOKMARK", object: { apiVersion: "v1", kind, metadata } })}\n`);
}

server.listen(Number(port), "127.0.0.1", () => console.log("listening"));
process.stdin.resume().once("end", () => process.exit());
