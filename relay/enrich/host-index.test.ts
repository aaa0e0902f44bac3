import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KubeObject, WatchChange } from "../../lib/kube/types.ts";
import { type HostKind, trimHost } from "./host.ts";
import { HostIndex } from "./host-index.ts";

interface Given {
  readonly ips?: readonly string[];
  readonly hostNetwork?: boolean;
  readonly phase?: string;
  /** Seconds; the later one is the younger. */
  readonly created?: number;
  readonly isLeaving?: boolean;
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function pod(name: string, given: Given): KubeObject {
  const { ips = [], hostNetwork, phase = "Running", created = 1000, isLeaving = false } = given;
  const times = { creationTimestamp: time(created), ...(isLeaving ? { deletionTimestamp: time(created + 9) } : {}) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "shop", name, ...times },
    spec: { hostNetwork, containers: [{ name: "main" }] },
    status: { phase, podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) },
  };
}

function service(name: string, given: Given): KubeObject {
  const { ips = [], created = 1000, isLeaving = false } = given;
  const times = { creationTimestamp: time(created), ...(isLeaving ? { deletionTimestamp: time(created + 9) } : {}) };
  const spec = { clusterIP: ips[0], clusterIPs: ips, externalIPs: ["203.0.113.7"], ports: [{ port: 80 }] };
  const status = { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } };
  return { apiVersion: "v1", kind: "Service", metadata: { namespace: "shop", name, ...times }, spec, status };
}

type Step = readonly [HostKind, WatchChange];
const has = (object: KubeObject): Step => [object.kind === "Pod" ? "pod" : "svc", { kind: "modified", object }];
const lost = (object: KubeObject): Step => [object.kind === "Pod" ? "pod" : "svc", { kind: "deleted", object }];
const listed = (kind: HostKind, ...objects: readonly KubeObject[]): Step => [kind, { kind: "replaced", objects }];

const ip = "10.42.0.7";
const old = pod("old", { ips: [ip], created: 1 });
const young = pod("young", { ips: [ip], created: 2 });

/** Steps, an address, and whose it is then. */
const table: Readonly<Record<string, readonly [readonly Step[], string, string | undefined]>> = {
  "names a pod": [[has(old)], ip, "pod/shop/old"],
  "names a service": [[has(service("redis", { ips: ["10.43.0.1"] }))], "10.43.0.1", "svc/shop/redis"],
  "does not know a pod before it has an address": [[has(pod("new", { phase: "Pending" }))], "", undefined],
  "names the younger of two, whichever came last": [[has(young), has(old)], ip, "pod/shop/young"],
  "names the younger of two when the older goes": [[has(old), has(young), lost(old)], ip, "pod/shop/young"],
  "names the older of two again when the younger goes": [[has(old), has(young), lost(young)], ip, "pod/shop/old"],
  "prefers who stays to who leaves": [
    [has(old), has(pod("leaving", { ips: [ip], created: 3, isLeaving: true }))],
    ip,
    "pod/shop/old",
  ],
  "names who leaves while nobody else has the address": [
    [has(pod("leaving", { ips: [ip], isLeaving: true }))],
    ip,
    "pod/shop/leaving",
  ],
  "names the first by name of two of one second": [
    [has(pod("b", { ips: [ip] })), has(pod("a", { ips: [ip] }))],
    ip,
    "pod/shop/a",
  ],
  "forgets the old address of a changed pod": [[has(old), has(pod("old", { ips: ["10.42.0.8"] }))], ip, undefined],
  "forgets a pod that has ended": [[has(old), has(pod("old", { ips: [ip], phase: "Succeeded" }))], ip, undefined],
  "forgets a pod that has failed": [[has(old), has(pod("old", { ips: [ip], phase: "Failed" }))], ip, undefined],
  "knows a pod whose node is lost": [[has(pod("lost", { ips: [ip], phase: "Unknown" }))], ip, "pod/shop/lost"],
  "does not take a pod's deletion for that of its namesake service": [
    [has(pod("a", { ips: [ip] })), lost(service("a", { ips: [ip] }))],
    ip,
    "pod/shop/a",
  ],
  "names the only pod at the address of a node": [
    [has(pod("proxy", { ips: ["192.0.2.10"], hostNetwork: true }))],
    "192.0.2.10",
    "pod/shop/proxy",
  ],
  "does not choose among pods at the address of a node": [
    [
      has(pod("proxy", { ips: ["192.0.2.10"], hostNetwork: true })),
      has(pod("agent", { ips: ["192.0.2.10"], hostNetwork: true })),
    ],
    "192.0.2.10",
    undefined,
  ],
  "prefers who has an address alone to those at a node's": [
    [has(pod("proxy", { ips: [ip], hostNetwork: true, created: 2000 })), has(pod("own", { ips: [ip] }))],
    ip,
    "pod/shop/own",
  ],
  "does not name a service by its load balancer": [[has(service("lb", { ips: [] }))], "192.0.2.10", undefined],
  "does not name a service by addresses that anybody can claim": [[has(service("ex", {}))], "203.0.113.7", undefined],
  "does not know headless services": [[has(service("headless", { ips: ["None"] }))], "None", undefined],
  "knows the second family of a pod": [[has(pod("dual", { ips: [ip, "fd00::7"] }))], "fd00::7", "pod/shop/dual"],
  "knows the second family of a service": [[has(service("s", { ips: [ip, "fd00::7"] }))], "fd00::7", "svc/shop/s"],
  "knows an address however it was written": [
    [has(pod("six", { ips: ["FD00:10:96:0::A"] }))],
    "fd00:10:96::a",
    "pod/shop/six",
  ],
  "knows an IPv4-mapped address as IPv4": [
    [has(pod("mapped", { ips: ["::ffff:10.1.2.3"] }))],
    "10.1.2.3",
    "pod/shop/mapped",
  ],
  "does not know an address that is none": [[has(pod("zero", { ips: ["010.1.2.3"] }))], "010.1.2.3", undefined],
  "forgets who is not in a new list": [[has(old), has(young), listed("pod", old)], ip, "pod/shop/old"],
  "keeps services at a new list of pods": [[has(service("s", { ips: [ip] })), listed("pod")], ip, "svc/shop/s"],
  "takes over what changed before a new list": [
    [has(old), listed("pod", pod("old", { ips: ["10.42.0.8"] }))],
    "10.42.0.8",
    "pod/shop/old",
  ],
};

for (const [sentence, [steps, address, owner]] of Object.entries(table)) {
  test(`HostIndex ${sentence}`, () => {
    const index = new HostIndex();
    for (const [kind, change] of steps) index.apply(kind, change);
    assert.equal(index.lookup(address), owner);
  });
}

test("HostIndex.trust() keeps hosts of a kind from being told, and gives them back", () => {
  const index = new HostIndex();
  index.apply(...has(pod("a", { ips: [ip], created: 9 })));
  index.apply(...has(service("b", { ips: [ip] })));
  index.trust("pod", false);
  assert.equal(index.lookup(ip), "svc/shop/b");
  index.trust("svc", false);
  assert.equal(index.lookup(ip), undefined);
  index.trust("pod", true);
  assert.equal(index.lookup(ip), "pod/shop/a");
});

const addresses = ["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"];
const someObject: fc.Arbitrary<KubeObject> = fc
  .record({
    make: fc.constantFrom(pod, service),
    name: fc.constantFrom("a", "b", "c", "d"),
    ips: fc.subarray(addresses, { maxLength: 2 }),
    hostNetwork: fc.boolean(),
    phase: fc.constantFrom("Running", "Running", "Pending", "Failed"),
    created: fc.integer({ min: 1, max: 4 }),
    isLeaving: fc.boolean(),
  })
  .map(({ make, name, ...given }) => make(name, given));
const someStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: someObject.map(has) },
  { weight: 2, arbitrary: someObject.map(lost) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("pod" as const, "svc" as const), fc.array(someObject, { maxLength: 5 }))
      .map(([kind, objects]): Step => {
        const ofKind = objects.filter((object) => (object.kind === "Pod") === (kind === "pod"));
        return listed(kind, ...new Map(ofKind.map((object) => [object.metadata.name, object])).values());
      }),
  },
);

const keyOf = (object: KubeObject) => `${object.kind === "Pod" ? "pod" : "svc"}/shop/${object.metadata.name}`;

/** Who has an address among the objects there are, told the slow way. */
function ownerAmong(objects: Iterable<KubeObject>, address: string): string | undefined {
  const claims = [...objects].filter((object) => {
    const { spec, status } = object as unknown as {
      spec: { clusterIPs?: string[] };
      status: { phase?: string; podIPs?: { ip: string }[] };
    };
    if (object.kind === "Service") return spec.clusterIPs?.includes(address);
    return status.phase !== "Failed" && status.podIPs?.some(({ ip: own }) => own === address);
  });
  const rank = (object: KubeObject) => {
    const { creationTimestamp = "", deletionTimestamp } = object.metadata;
    const age = 9e12 - Date.parse(creationTimestamp);
    return `${deletionTimestamp === undefined ? "first" : "last"} ${age} ${keyOf(object)}`;
  };
  const own = claims.filter(
    (object) => object.kind === "Service" || (object["spec"] as { hostNetwork?: boolean }).hostNetwork !== true,
  );
  if (own.length === 0 && claims.length > 1) return undefined;
  const [best] = (own.length > 0 ? own : claims).toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  return best === undefined ? undefined : keyOf(best);
}

test("HostIndex after any changes equals one that is built from what there is", () => {
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 30 }), (steps) => {
      const index = new HostIndex();
      const there = new Map<string, KubeObject>();
      for (const [kind, change] of steps) {
        index.apply(
          kind,
          change.kind === "replaced"
            ? { ...change, objects: change.objects.map(trimHost) }
            : { ...change, object: trimHost(change.object) },
        );
        if (change.kind === "replaced") {
          for (const key of there.keys()) if (key.startsWith(kind)) there.delete(key);
          for (const object of change.objects) there.set(keyOf(object), object);
        } else if (change.kind === "deleted") there.delete(keyOf(change.object));
        else there.set(keyOf(change.object), change.object);
      }
      const anew = new HostIndex();
      for (const object of there.values()) anew.apply(...has(object));
      assert.equal(index.size, anew.size);
      for (const address of addresses) {
        assert.equal(index.lookup(address), ownerAmong(there.values(), address), address);
        assert.equal(anew.lookup(address), index.lookup(address), address);
      }
    }),
    { numRuns: 2000 },
  );
});
