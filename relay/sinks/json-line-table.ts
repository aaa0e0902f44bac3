import type { FeedId } from "../feeds.ts";

/** A field as it is printed. `printZero`: also when it is absent or 0. */
export interface JsonField {
  readonly name: string;
  readonly number: number;
  readonly type: "string" | "strings" | "string-map" | "int32" | "int64" | MessageTable;
  readonly printZero: boolean;
}

/** The fields of a message in the order of their declaration, which is the order of the keys. */
export type MessageTable = readonly JsonField[];

const field = (type: JsonField["type"], printZero: boolean) => (name: string, number: number) =>
  ({ name, number, type, printZero }) satisfies JsonField;
const string = field("string", false);
const strings = field("strings", false);
const stringMap = field("string-map", false);
const int32 = field("int32", false);
const int64 = field("int64", false);
const int32OrZero = field("int32", true);
const part = (table: MessageTable) => field(table, false);

const podowner: MessageTable = [string("Ref", 1), string("Name", 2), string("Namespace", 3)];

const execEvent: MessageTable = [string("ExecID", 1), string("ExecutableName", 2)];

const message: MessageTable = [
  int64("Timestamp", 1),
  string("UpdatedTime", 2),
  string("ClusterName", 3),
  string("HostName", 4),
  string("HostIP", 5),
  string("Type", 6),
  string("Level", 7),
  string("Message", 8),
];

const alert: MessageTable = [
  int64("Timestamp", 1),
  string("UpdatedTime", 2),
  string("ClusterName", 3),
  string("HostName", 4),
  string("NamespaceName", 5),
  part(podowner)("Owner", 31),
  string("PodName", 6),
  string("Labels", 29),
  string("ContainerID", 7),
  string("ContainerName", 8),
  string("ContainerImage", 24),
  int32("HostPPID", 27),
  int32("HostPID", 9),
  int32OrZero("PPID", 10),
  int32("PID", 11),
  int32OrZero("UID", 12),
  string("ParentProcessName", 25),
  string("ProcessName", 26),
  string("PolicyName", 13),
  string("Severity", 14),
  string("Tags", 15),
  strings("ATags", 30),
  string("Message", 16),
  string("Type", 17),
  string("Source", 18),
  string("Operation", 19),
  string("Resource", 20),
  string("Data", 21),
  stringMap("EventData", 43),
  string("Enforcer", 28),
  string("Action", 22),
  string("Result", 23),
  string("Cwd", 32),
  string("TTY", 33),
  int32("MaxAlertsPerSec", 34),
  int32("DroppingAlertsInterval", 35),
  part(execEvent)("ExecEvent", 36),
  string("KubeArmorVersion", 37),
  string("NodeID", 38),
  string("ProcessHash", 39),
  string("ParentHash", 40),
  string("ResourceHash", 41),
  string("HashAlgo", 42),
  string("UserName", 44),
];

const log: MessageTable = [
  int64("Timestamp", 1),
  string("UpdatedTime", 2),
  string("ClusterName", 3),
  string("HostName", 4),
  string("NamespaceName", 5),
  part(podowner)("Owner", 24),
  string("PodName", 6),
  string("Labels", 23),
  string("ContainerID", 7),
  string("ContainerName", 8),
  string("ContainerImage", 19),
  string("ParentProcessName", 20),
  string("ProcessName", 21),
  int32("HostPPID", 22),
  int32("HostPID", 9),
  int32OrZero("PPID", 10),
  int32("PID", 11),
  int32OrZero("UID", 12),
  string("Type", 13),
  string("Source", 14),
  string("Operation", 15),
  string("Resource", 16),
  string("Data", 17),
  stringMap("EventData", 33),
  string("Result", 18),
  string("Cwd", 25),
  string("TTY", 26),
  part(execEvent)("ExecEvent", 27),
  string("NodeID", 28),
  string("ProcessHash", 29),
  string("ParentHash", 30),
  string("ResourceHash", 31),
  string("HashAlgo", 32),
  string("UserName", 34),
];

/** How the events of each feed are printed. A test compares it with proto/kubearmor.proto. */
export const jsonLineTables: Readonly<Record<FeedId, MessageTable>> = { alerts: alert, logs: log, messages: message };
