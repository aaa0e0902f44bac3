import type { EventFields } from "./event-fields.ts";

/** Of alerts, logs and messages alike. Source: proto/kubearmor.proto. */
export const clusterNameField = 3;

/** What agents call a cluster whose name they were not told. */
const unnamed = "default";
const unnamedBytes = Buffer.from(unnamed);

/** Whether it tells one cluster from another. */
export function isClusterName(name: string): boolean {
  return name !== "" && name !== unnamed;
}

/** Whether an event whose fields have been found does not say which cluster it is from. */
export function lacksClusterName(bytes: Uint8Array, fields: EventFields): boolean {
  const start = fields.start(clusterNameField);
  const length = fields.end(clusterNameField) - start;
  if (length === 0) return true;
  return length === unnamedBytes.length && unnamedBytes.every((byte, at) => bytes[start + at] === byte);
}
