import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type AgentFleet, startFleet } from "../../hack/agents/fleet.ts";
import { type ControlPlane, startControlPlane } from "../../hack/testbed/control-plane.ts";
import { applyObjects } from "../../hack/testbed/kubectl.ts";
import { loadCluster } from "../../lib/kube/credentials.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { textHash } from "../../lib/process/text-hash.ts";
import { parseRelay, relayResource } from "../../operator/api/relay.ts";
import { role } from "../../operator/desired/roles.ts";
import type { RelayEntry } from "../../relay/report/entry.ts";
import { type Client, connectTo, type Gate, portOf, startGate } from "./kube-harness.ts";
import { auditedCalls } from "./operator-audit.ts";
import { waitUntil } from "./relay-harness.ts";
import { type RelayReplica, startReplica } from "./relay-replica.ts";

const limit = { timeout: 120_000 };
let plane: ControlPlane;
let admin: Client;
let gate: Gate;

before(async () => {
  const crd = new URL("../../crds/kubearmorrelays.yaml", import.meta.url).pathname;
  plane = await startControlPlane({ crds: [crd], audit: true });
  const cluster = loadCluster({ kubeconfig: plane.kubeconfig });
  admin = connectTo(cluster);
  gate = await startGate(portOf(cluster));
});
after(async () => {
  await gate[Symbol.asyncDispose]();
  await admin[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

/** A KubeArmorRelay of its own in the API, and what the operator would make for its pods but the pods. */
class Place {
  readonly name: string;
  #kubeconfig = "";

  constructor(name: string) {
    this.name = name;
  }

  /** The ServiceAccount, without rights, and a kubeconfig that has its token and leads through the gate. */
  async prepare(): Promise<void> {
    await plane.kubectl(["create", "serviceaccount", this.name]);
    const token = (await plane.kubectl(["create", "token", this.name])).trim();
    const cluster = gate.through(loadCluster({ kubeconfig: plane.kubeconfig }));
    this.#kubeconfig = join(plane.dir, `${this.name}.kubeconfig`);
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "c", cluster: { server: cluster.server, "certificate-authority": join(plane.dir, "ca.crt") } },
      ],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    };
    await writeFile(this.#kubeconfig, JSON.stringify(config));
  }

  async createRelay(): Promise<void> {
    const apiVersion = "operator.kubearmor.com/v1alpha1";
    await applyObjects(plane.kubectl, [{ apiVersion, kind: "KubeArmorRelay", metadata: this.#metadata, spec: {} }]);
  }

  /** Exactly the rights that the operator gives the pods in their namespace. */
  async grant(): Promise<void> {
    const { rules } = role(parseRelay(await this.#get())).object;
    const group = "rbac.authorization.k8s.io";
    const apiVersion = `${group}/v1`;
    const metadata = this.#metadata;
    await applyObjects(plane.kubectl, [
      { apiVersion, kind: "Role", metadata, rules },
      {
        apiVersion,
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup: group, kind: "Role", name: this.name },
        subjects: [{ kind: "ServiceAccount", name: this.name, namespace: "default" }],
      },
    ]);
  }

  /** Until the API server has heard of the rights. */
  async untilGranted(): Promise<void> {
    const resourceAttributes = {
      group: "operator.kubearmor.com",
      resource: "kubearmorrelays",
      subresource: "status",
      verb: "patch",
      ...this.#metadata,
    };
    const spec = { user: `system:serviceaccount:default:${this.name}`, resourceAttributes };
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
    await waitUntil(async () => {
      const answer = await admin.raw("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
      return (answer as { readonly status: { readonly allowed: boolean } }).status.allowed;
    });
  }

  async setSettings(text: string): Promise<void> {
    const data = { "config.yaml": text };
    await applyObjects(plane.kubectl, [{ apiVersion: "v1", kind: "ConfigMap", metadata: this.#metadata, data }]);
  }

  startPod(pod: string, fleet: AgentFleet): Promise<RelayReplica> {
    return startReplica([
      "--discovery=static",
      `--agents=${fleet.addresses.join(",")}`,
      `--kubeconfig=${this.#kubeconfig}`,
      `--settings=default/${this.name}`,
      `--report=default/${this.name}`,
      `--identity=${pod}`,
    ]);
  }

  async entries(): Promise<readonly RelayEntry[]> {
    const { status } = (await this.#get()) as { readonly status?: { readonly relays?: readonly RelayEntry[] } };
    return (status?.relays ?? []).toSorted((a, b) => a.pod.localeCompare(b.pod));
  }

  /** The entries, once all of these pods have one that is as wanted. */
  async entriesWhen(
    pods: readonly string[],
    isReached: (entry: RelayEntry) => boolean,
  ): Promise<readonly RelayEntry[]> {
    let entries: readonly RelayEntry[] = [];
    await waitUntil(async () => {
      entries = await this.entries();
      return entries.map(({ pod }) => pod).join() === pods.join() && entries.every(isReached);
    });
    return entries;
  }

  async managers(): Promise<ReadonlyMap<string, unknown>> {
    const { metadata } = await this.#get();
    return new Map(
      (metadata.managedFields ?? [])
        .filter(({ subresource, operation }) => subresource === "status" && operation === "Apply")
        .map(({ manager = "", fieldsV1 }) => [manager, fieldsV1]),
    );
  }

  async version(): Promise<string | undefined> {
    return (await this.#get()).metadata.resourceVersion;
  }

  /** Requests of the pods that were answered, by code. */
  async patches(): Promise<readonly number[]> {
    const user = `system:serviceaccount:default:${this.name}`;
    const calls = await auditedCalls(plane.auditLog);
    return calls.filter((call) => call.user === user && call.verb === "patch").map(({ code }) => code);
  }

  get #metadata() {
    return { namespace: "default", name: this.name };
  }

  async #get(): Promise<KubeObject> {
    return (await admin.get(relayResource, this.#metadata)) ?? assert.fail(`There is no KubeArmorRelay ${this.name}`);
  }
}

async function newPlace(name: string, settings: string): Promise<Place> {
  const place = new Place(name);
  await place.prepare();
  await place.createRelay();
  await place.grant();
  await place.setSettings(settings);
  await place.untilGranted();
  return place;
}

function isUp({ agents }: RelayEntry): boolean {
  return agents.connected === 2;
}

test(
  "Relay pods report side by side, each its own, at once when settings change, and nothing when nothing does",
  limit,
  async () => {
    const printing = "stdout: {alerts: true, logs: true}\n";
    const place = await newPlace("pair", printing);
    await using fleet = await startFleet({ count: 2 });
    await using _a = await place.startPod("pair-a", fleet);
    await using _b = await place.startPod("pair-b", fleet);
    const pods = ["pair-a", "pair-b"];
    const entries = await place.entriesWhen(pods, isUp);
    const { version } = entries[0] ?? assert.fail();
    const wanted = (pod: string, text: string, stdout: string) => ({
      pod,
      version,
      stdout,
      settings: textHash(text),
      agents: { seen: 2, connected: 2 },
      loss: { dropped: 0, gaps: 0 },
    });
    assert.deepEqual(
      entries,
      pods.map((pod) => wanted(pod, printing, "alerts,logs")),
    );
    assert.deepEqual([...(await place.managers()).keys()].toSorted(), ["relay-pair-a", "relay-pair-b"]);
    for (const [manager, fields] of await place.managers()) {
      const { "f:status": status } = fields as { readonly "f:status": { readonly "f:relays": object } };
      const pod = manager.slice("relay-".length);
      assert.deepEqual(Object.keys(status["f:relays"]), [`k:${JSON.stringify({ pod })}`]);
    }

    const silent = "# nothing is printed\n";
    await place.setSettings(silent);
    assert.deepEqual(
      await place.entriesWhen(pods, ({ settings }) => settings === textHash(silent)),
      pods.map((pod) => wanted(pod, silent, "none")),
    );

    // Longer than the pace of what may wait.
    const calm = { version: await place.version(), patches: await place.patches() };
    await pause(11_000);
    assert.deepEqual({ version: await place.version(), patches: await place.patches() }, calm);
    assert.deepEqual(new Set(calm.patches), new Set([200]));
  },
);

test(
  "An agent that is lost shows, and settings that are refused: with the reason, and with what stays in force",
  limit,
  async () => {
    const good = "stdout: {alerts: true}\n";
    const place = await newPlace("trouble", good);
    await using fleet = await startFleet({ count: 2 });
    await using _pod = await place.startPod("trouble-a", fleet);
    const pods = ["trouble-a"];
    await place.entriesWhen(pods, isUp);
    await place.setSettings("stdout: {alerts: maybe}\n");
    const [refused] = await place.entriesWhen(pods, ({ problem }) => problem !== undefined);
    assert.match(refused?.problem ?? "", /stdout\.alerts.*maybe.*true or false/);
    assert.deepEqual([refused?.settings, refused?.stdout], [textHash(good), "alerts"]);
    const other = `${good}# again\n`;
    await place.setSettings(other);
    const [taken] = await place.entriesWhen(pods, ({ problem }) => problem === undefined);
    assert.equal(taken?.settings, textHash(other));

    await fleet.agent(1)[Symbol.asyncDispose]();
    const [lost] = await place.entriesWhen(pods, ({ agents }) => agents.connected === 1);
    assert.deepEqual(
      [lost?.agents, lost?.loss],
      [
        { seen: 2, connected: 1 },
        { dropped: 0, gaps: 3 },
      ],
    );
  },
);

test(
  "A report that the API server does not take arrives when it is back, and a new start replaces the old entry",
  limit,
  async () => {
    const place = await newPlace("outage", "stdout: {alerts: true}\n");
    await using fleet = await startFleet({ count: 2 });
    const pods = ["outage-a"];
    await using first = await place.startPod("outage-a", fleet);
    await place.entriesWhen(pods, isUp);
    // The pod has heard that it was taken.
    await waitUntil(async () => (await report(first)).lastApplied?.agents.connected === 2);
    await gate.cut();
    await fleet.agent(0).restart();
    await waitUntil(async () => (await report(first)).counts.unreachable > 0);
    assert.equal((await report(first)).lastApplied?.loss.gaps, 0);
    await gate.open();
    await place.entriesWhen(pods, ({ loss, agents }) => loss.gaps === 3 && agents.connected === 2);
    await first.until("Reporting to the KubeArmorRelay again");
    assert.equal(first.log.filter(({ message }) => message.startsWith("Cannot report")).length, 1);

    await first.end("SIGKILL");
    await using _second = await place.startPod("outage-a", fleet);
    await place.entriesWhen(pods, ({ loss, agents }) => loss.gaps === 0 && agents.connected === 2);
    assert.deepEqual([...(await place.managers()).keys()], ["relay-outage-a"]);
  },
);

test(
  "A relay that may not report says so once and goes on, one whose KubeArmorRelay is gone says nothing",
  limit,
  async () => {
    const place = new Place("refused");
    await place.prepare();
    await place.createRelay();
    await using fleet = await startFleet({ count: 2 });
    await using pod = await place.startPod("refused-a", fleet);
    const { level, wanted } = await pod.until("Cannot report to the KubeArmorRelay");
    assert.deepEqual([level, /patch kubearmorrelays\/status/.test(String(wanted))], ["warn", true]);
    await fleet.untilWatched();
    await place.grant();
    await place.entriesWhen(["refused-a"], isUp);
    assert.equal(pod.log.filter(({ message }) => message.startsWith("Cannot report")).length, 1);

    await plane.kubectl(["delete", "kubearmorrelay", "refused"]);
    await fleet.agent(0).restart();
    await waitUntil(async () => (await report(pod)).counts.gone > 0);
    await place.createRelay();
    await place.entriesWhen(["refused-a"], ({ loss, agents }) => loss.gaps === 3 && agents.connected === 2);
    assert.equal(pod.log.filter(({ message }) => message.startsWith("Cannot report")).length, 1);
  },
);

interface ReportPage {
  readonly lastApplied?: RelayEntry;
  readonly counts: { readonly gone: number; readonly unreachable: number };
}

async function report(pod: RelayReplica): Promise<ReportPage> {
  const { report: page } = (await pod.statusz()) as { readonly report: ReportPage };
  return page;
}
