import { fieldManager } from "../../relay/report/apply-entry.ts";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import { isNotFound } from "../../lib/kube/errors.ts";
import { type ListWatchClient, startListWatch } from "../../lib/kube/list-watch.ts";
import { configMaps, pods } from "../../lib/kube/resources.ts";
import { type IndexValues, Store } from "../../lib/kube/store.ts";
import type { KubeClient, KubeObject, ObjectName, WatchChange } from "../../lib/kube/types.ts";
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { textHash } from "../../lib/process/text-hash.ts";
import { apiVersion, relayKind, relayResource } from "../../operator/api/relay.ts";
import type { Report } from "../../operator/decide/reports.ts";
import { settingsFile } from "../../operator/desired/config-map.ts";
import { managedByLabel, relayAppLabel, relayNameLabel } from "../../operator/desired/names.ts";

/** How the pods of one relay behave. */
export type Behaviour =
  /** As a relay at work, but for these fields of its entry; one with a problem reports before it is ready. */
  { readonly kind: "reports"; readonly fields?: Partial<Omit<Report, "pod">> } | { readonly kind: "silent" };

/** Reports for the pods of every relay, as those would if they ran: fake nodes run nothing. */
export interface FakeRelays extends AsyncDisposable {
  behave(relay: ObjectName, behaviour: Behaviour): void;
}

const atWork: Behaviour = { kind: "reports" };
const retryMs = 100;

export function startFakeRelays(client: KubeClient & ListWatchClient): FakeRelays {
  const fakes = new Fakes(client);
  const deps = { client, clock: systemClock, random: Math.random, log: silentLog };
  const labelSelector = Object.entries(relayAppLabel).map(([key, value]) => `${key}=${value}`);
  const settingsSelector = Object.entries(managedByLabel).map(([key, value]) => `${key}=${value}`);
  const watches = [
    startListWatch(
      {
        resource: pods,
        scope: { labelSelector: [...labelSelector, relayNameLabel].join(",") },
        onChange: (change) => fakes.podsChanged(change),
      },
      deps,
    ),
    startListWatch(
      {
        resource: configMaps,
        scope: { labelSelector: settingsSelector.join(",") },
        onChange: (change) => fakes.settingsChanged(change),
      },
      deps,
    ),
  ];
  return {
    behave: (relay, behaviour) => fakes.behave(relay, behaviour),
    async [Symbol.asyncDispose]() {
      await Promise.all(watches.map((watch) => watch[Symbol.asyncDispose]()));
      await fakes.end();
    },
  };
}

const byRelay: IndexValues = ({ metadata }) => [
  `${metadata.namespace ?? ""}/${metadata.labels?.[relayNameLabel] ?? ""}`,
];

class Fakes {
  readonly #client: KubeClient;
  readonly #pods = new Store({ relay: byRelay });
  readonly #settings = new Store({ relay: byRelay });
  readonly #behaviours = new Map<string, Behaviour>();
  /** What each pod has reported, by its UID. */
  readonly #reported = new Map<string, string>();
  /** By UID of the pod; true: there is news meanwhile. */
  readonly #busy = new Map<string, boolean>();
  readonly #running = new Set<Promise<void>>();
  #ended = false;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  behave(relay: ObjectName, behaviour: Behaviour): void {
    const key = `${relay.namespace ?? ""}/${relay.name}`;
    this.#behaviours.set(key, behaviour);
    this.#look(this.#pods.by("relay", key));
  }

  podsChanged(change: WatchChange): void {
    this.#look(this.#pods.apply(change).map(({ object }) => object));
  }

  settingsChanged(change: WatchChange): void {
    const keys = new Set(this.#settings.apply(change).flatMap(({ object }) => byRelay(object)));
    for (const key of keys) this.#look(this.#pods.by("relay", key));
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#running);
  }

  #look(changed: readonly KubeObject[]): void {
    for (const { metadata } of changed) {
      const { uid = "" } = metadata;
      const isBusy = this.#busy.has(uid);
      this.#busy.set(uid, isBusy);
      if (isBusy || this.#ended) continue;
      const running = this.#follow(metadata, uid).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  async #follow(name: ObjectName, uid: string): Promise<void> {
    do {
      this.#busy.set(uid, false);
      const wasSent = await this.#report(name);
      if (!wasSent) {
        await pause(retryMs);
        this.#busy.set(uid, true);
      }
    } while (this.#busy.get(uid) === true && !this.#ended);
    this.#busy.delete(uid);
  }

  /** @returns false when it has to be tried again */
  async #report(name: ObjectName): Promise<boolean> {
    const pod = this.#pods.get(name);
    const { namespace = "", uid = "", labels = {}, deletionTimestamp } = pod?.metadata ?? {};
    const relay = labels[relayNameLabel] ?? "";
    const behaviour = this.#behaviours.get(`${namespace}/${relay}`) ?? atWork;
    if (pod === undefined || deletionTimestamp !== undefined || behaviour.kind === "silent") return true;
    if (!isReady(pod) && behaviour.fields?.problem === undefined) return true;
    const entry = { ...this.#atWork(pod, { namespace, name: relay }), ...behaviour.fields };
    const text = JSON.stringify(entry);
    if (this.#reported.get(uid) === text) return true;
    const metadata = { namespace, name: relay };
    const object = { apiVersion, kind: relayKind, metadata, status: { relays: [entry] } };
    try {
      await this.#client.apply(relayResource, object, {
        fieldManager: fieldManager(pod.metadata.name),
        force: true,
        subresource: "status",
      });
      this.#reported.set(uid, text);
      return true;
    } catch (error) {
      // The relay is gone and its pods are about to go; whatever else is wrong with the server may pass.
      return isNotFound(error);
    }
  }

  #atWork(pod: KubeObject, relay: ObjectName): Report {
    const data = this.#settings.get(relay)?.["data"] as Readonly<Record<string, string>> | undefined;
    const text = data?.[settingsFile];
    const entry: Report = { pod: pod.metadata.name, version: "0.0.0-fake", stdout: "none" };
    if (text === undefined) return entry;
    const { stdout } = parse(text) as { readonly stdout: Readonly<Record<string, boolean>> };
    const streams = Object.keys(stdout).filter((stream) => stdout[stream] === true);
    return {
      ...entry,
      settings: textHash(text),
      stdout: streams.length === 0 ? "none" : streams.join(","),
      agents: { seen: 0, connected: 0 },
      loss: { dropped: 0, gaps: 0 },
    };
  }
}

function isReady(pod: KubeObject): boolean {
  const status = pod["status"] as
    | { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
    | undefined;
  return status?.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True") === true;
}
