import type { Random } from "../../lib/process/clock.ts";
import type { FeedName } from "./contract.ts";
import { pick } from "./random.ts";

/** An event as proto-loader takes it, without what differs from one to the next (time and mark). */
export type Scene = Readonly<Record<string, unknown>>;

/** Where an agent runs. */
export interface Place {
  readonly host: string;
  readonly hostIp: string;
  readonly cluster: string;
}

interface Workload {
  readonly namespace: string;
  readonly owner: string;
  readonly kind: "Deployment" | "StatefulSet" | "DaemonSet";
  readonly tier: string;
  readonly image: string;
}

const workloads: readonly [Workload, ...Workload[]] = [
  { namespace: "shop", owner: "cart", kind: "Deployment", tier: "backend", image: "registry.example/shop/cart:2.4" },
  { namespace: "shop", owner: "orders-db", kind: "StatefulSet", tier: "data", image: "registry.example/postgres:16" },
  { namespace: "web", owner: "front", kind: "Deployment", tier: "edge", image: "registry.example/web/front:1.19" },
  { namespace: "logging", owner: "shipper", kind: "DaemonSet", tier: "infra", image: "registry.example/shipper:3" },
];

interface Deed {
  readonly Operation: string;
  readonly Resource: string;
  readonly Data: string;
  readonly EventData: Readonly<Record<string, string>>;
}

const deeds: readonly [Deed, ...Deed[]] = [
  process("/usr/bin/apt-get install -y ncat"),
  process("/bin/sh -c 'id && cat /etc/passwd > /tmp/out'"),
  process("/usr/bin/curl -s https://updates.example/?a=1&b=2"),
  file("/etc/shadow", "O_RDONLY"),
  file("/var/run/secrets/kubernetes.io/serviceaccount/token", "O_RDONLY|O_CLOEXEC"),
  file("/usr/bin/watch", "O_RDWR|O_CREAT|O_TRUNC"),
  connection("tcp_connect", "198.51.100.23", 443),
  connection("tcp_connect", "10.96.0.10", 53),
  connection("tcp_accept", "10.244.3.17", 8080),
  {
    Operation: "Network",
    Resource: "domain=AF_INET type=SOCK_RAW protocol=ICMP",
    Data: "syscall=SYS_SOCKET",
    EventData: { Syscall: "SYS_SOCKET", Domain: "AF_INET", Type: "SOCK_RAW", Protocol: "ICMP" },
  },
  { Operation: "Capabilities", Resource: "CAP_NET_RAW", Data: "lsm=CAPABLE", EventData: { Lsm: "CAPABLE" } },
  { Operation: "Syscall", Resource: "/dev/sda", Data: "syscall=SYS_UNLINK", EventData: { Syscall: "SYS_UNLINK" } },
];

const levels = ["INFO", "DEBUG", "WARN", "ERROR"] as const;

type SceneMaker = (place: Place, random: Random) => [Scene, ...Scene[]];

/** Events of each feed as an agent at that place sees them, in the proportions in which they are to be drawn. */
export const makeScenes: Readonly<Record<FeedName, SceneMaker>> = {
  alerts: (place, random) => {
    const usual = deeds.flatMap((deed, index) => [
      containerAlert(deed, index % 3 === 0 ? "Audit" : "Block", place, random),
      containerAlert(deed, index % 4 === 0 ? "Audit" : "Block", place, random),
    ]);
    return [throttleNotice(place, random), hostAlert(deeds[0], place, random), ...usual, ...usual, ...usual];
  },
  logs: (place, random) => [hostLog(deeds[0], place), ...deeds.map((deed) => containerLog(deed, place, random))],
  messages: (place) => [message("INFO", place), ...levels.map((level) => message(level, place))],
};

function process(commandLine: string): Deed {
  return {
    Operation: "Process",
    Resource: commandLine,
    Data: "lsm=SECURITY_BPRM_CHECK",
    EventData: { Lsm: "SECURITY_BPRM_CHECK" },
  };
}

function file(path: string, flags: string): Deed {
  return {
    Operation: "File",
    Resource: path,
    Data: `syscall=SYS_OPENAT fd=-100 flags=${flags}`,
    EventData: { Syscall: "SYS_OPENAT", Fd: "-100", Flags: flags },
  };
}

function connection(kprobe: string, remoteIp: string, port: number): Deed {
  return {
    Operation: "Network",
    Resource: `remoteip=${remoteIp} port=${port} protocol=TCP`,
    Data: `kprobe=${kprobe} domain=AF_INET`,
    EventData: { Kprobe: kprobe, Domain: "AF_INET", Remoteip: remoteIp, Port: String(port), Protocol: "TCP" },
  };
}

function host(place: Place): Scene {
  return { ClusterName: place.cluster, HostName: place.host, NodeID: digits(place.host, 16) };
}

function container(place: Place, workload: Workload, random: Random): Scene {
  const serial = Math.floor(random() * 2 ** 32);
  return {
    ...host(place),
    NamespaceName: workload.namespace,
    Owner: { Ref: workload.kind, Name: workload.owner, Namespace: workload.namespace },
    PodName: `${workload.owner}-${serial.toString(36)}`,
    Labels: `app=${workload.owner},tier=${workload.tier}`,
    ContainerID: digits(`${place.host}${serial}`, 64),
    ContainerName: workload.owner,
    ContainerImage: `${workload.image}@sha256:${digits(workload.image, 64)}`,
  };
}

function actor(random: Random): Scene {
  const pid = 2 + Math.floor(random() * 30000);
  return {
    HostPPID: pid + 40000,
    HostPID: pid + 40001,
    PPID: pid,
    PID: pid + 1,
    ParentProcessName: "/bin/bash",
    ProcessName: "/usr/bin/env",
    Source: "/bin/bash",
    Cwd: "/",
    TTY: "pts0",
    ExecEvent: { ExecID: String(171798691840000 + pid), ExecutableName: "bash" },
  };
}

function verdict(action: "Audit" | "Block", policy: string): Scene {
  return {
    PolicyName: policy,
    Severity: action === "Block" ? "8" : "3",
    Tags: "NIST,MITRE",
    ATags: ["NIST", "MITRE"],
    Message: "Matched a policy of the workload",
    Enforcer: "BPFLSM",
    Action: action,
    Result: action === "Block" ? "Permission denied" : "Passed",
    KubeArmorVersion: "v1.7.4",
  };
}

function containerAlert(deed: Deed, action: "Audit" | "Block", place: Place, random: Random): Scene {
  const workload = pick(workloads, random);
  return {
    ...container(place, workload, random),
    ...actor(random),
    ...verdict(action, `protect-${workload.owner}`),
    ...deed,
    Type: "MatchedPolicy",
  };
}

function hostAlert(deed: Deed, place: Place, random: Random): Scene {
  return {
    ...host(place),
    ...actor(random),
    ...verdict("Audit", "protect-host"),
    ...deed,
    Type: "MatchedHostPolicy",
    UserName: "root",
  };
}

function throttleNotice(place: Place, random: Random): Scene {
  return {
    ...container(place, pick(workloads, random), random),
    Message: "alerts of this container are being dropped",
    Type: "SystemEvent",
    Operation: "AlertThreshold",
    MaxAlertsPerSec: 10,
    DroppingAlertsInterval: 30,
  };
}

function containerLog(deed: Deed, place: Place, random: Random): Scene {
  const subject = container(place, pick(workloads, random), random);
  return { ...subject, ...actor(random), ...deed, UID: 101, Type: "ContainerLog", Result: "Passed" };
}

function hostLog(deed: Deed, place: Place): Scene {
  return { ...host(place), ...deed, PPID: 1, PID: 2377, Type: "HostLog", Result: "Passed", UserName: "root" };
}

function message(level: (typeof levels)[number], place: Place): Scene {
  return {
    ClusterName: place.cluster,
    HostName: place.host,
    HostIP: place.hostIp,
    Type: "Message",
    Level: level,
    Message: `Updated the policies of ${place.host} `,
  };
}

/** Hexadecimal digits that look like an id and depend on the text alone. */
function digits(text: string, length: number): string {
  return Buffer.from(text).toString("hex").padStart(length, "0").slice(-length);
}
