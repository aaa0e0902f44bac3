import type { KubeObject, WatchChange } from "../../lib/kube/types.ts";
import { type Host, hostOf, type HostKind, ownerOf } from "./host.ts";

/** Who has an address. */
export interface HostLookup {
  /** `pod/NAMESPACE/NAME` or `svc/NAMESPACE/NAME`; `address` as agents write it. */
  lookup(address: string): string | undefined;
}

/**
 * The pods and services of a cluster by their addresses, and nothing else of them. An address that several claim is that
 * of the youngest that is not being deleted: addresses are used again while the status of their last owner still has them.
 * The address of a node is that of its only pod there, or nobody's.
 */
export class HostIndex implements HostLookup {
  readonly #hosts: Readonly<Record<HostKind, Map<string, Host>>> = { pod: new Map(), svc: new Map() };
  /** Best first. Invariant: holds each of `#hosts` under each of its addresses, and nothing else. */
  readonly #byAddress = new Map<string, readonly Host[]>();
  readonly #distrusted = new Set<HostKind>();

  /** Hosts that have an address. */
  get size(): number {
    return this.#hosts.pod.size + this.#hosts.svc.size;
  }

  lookup(address: string): string | undefined {
    const hosts = this.#byAddress.get(address);
    if (hosts === undefined) return undefined;
    const told = hosts.filter(({ kind }) => !this.#distrusted.has(kind));
    const [first, second] = told;
    return told.find(({ isOnNode }) => !isOnNode)?.owner ?? (second === undefined ? first?.owner : undefined);
  }

  /** While a kind is not trusted its hosts are kept, but not told. */
  trust(kind: HostKind, isTrusted: boolean): void {
    if (isTrusted) this.#distrusted.delete(kind);
    else this.#distrusted.add(kind);
  }

  /** Takes over a change of the objects of a kind. */
  apply(kind: HostKind, change: WatchChange): void {
    switch (change.kind) {
      case "replaced":
        this.#replace(kind, change.objects);
        break;
      case "deleted":
        this.#remove(kind, ownerOf(kind, change.object));
        break;
      default:
        this.#put(hostOf(kind, change.object));
    }
  }

  #replace(kind: HostKind, objects: readonly KubeObject[]): void {
    const present = new Set(objects.map((object) => ownerOf(kind, object)));
    for (const owner of this.#hosts[kind].keys()) if (!present.has(owner)) this.#remove(kind, owner);
    for (const object of objects) this.#put(hostOf(kind, object));
  }

  #put(host: Host): void {
    const hosts = this.#hosts[host.kind];
    const known = hosts.get(host.owner);
    // Most changes of a pod are not of its addresses.
    if (known !== undefined && isSame(known, host)) return;
    if (known !== undefined) this.#remove(host.kind, host.owner);
    if (host.addresses.length === 0) return;
    hosts.set(host.owner, host);
    for (const address of host.addresses) {
      const others = this.#byAddress.get(address) ?? [];
      this.#byAddress.set(address, [...others, host].toSorted(compare));
    }
  }

  #remove(kind: HostKind, owner: string): void {
    const host = this.#hosts[kind].get(owner);
    if (host === undefined) return;
    this.#hosts[kind].delete(owner);
    for (const address of host.addresses) {
      const others = (this.#byAddress.get(address) ?? []).filter((other) => other !== host);
      if (others.length === 0) this.#byAddress.delete(address);
      else this.#byAddress.set(address, others);
    }
  }
}

function isSame(a: Host, b: Host): boolean {
  return (
    a.created === b.created &&
    a.isLeaving === b.isLeaving &&
    a.isOnNode === b.isOnNode &&
    a.addresses.join() === b.addresses.join()
  );
}

/** Of two that were made in the same second the first by name, so that all replicas tell the same. */
function compare(a: Host, b: Host): number {
  if (a.isLeaving !== b.isLeaving) return a.isLeaving ? 1 : -1;
  if (a.created !== b.created) return b.created - a.created;
  return a.owner < b.owner ? -1 : Number(a.owner > b.owner);
}
