import type { MethodDefinition as GrpcMethod } from "@grpc/grpc-js";
import type { MethodDefinition, ServiceDefinition } from "@grpc/proto-loader";
import { loadSync } from "@grpc/proto-loader";
import { fileURLToPath } from "node:url";

/** The streams of an agent. A list of its own: an agent that shared the relay's tables would share its mistakes. */
export const feedNames = ["alerts", "logs", "messages"] as const;
export type FeedName = (typeof feedNames)[number];

export interface StreamRequest {
  readonly Filter: string;
}

interface FeedContract {
  readonly method: string;
  /** Filters that open the stream, exact and case-sensitive; undefined = any. Source: KubeArmor feeder/logServer.go. */
  readonly filters: readonly string[] | undefined;
}

export const feedContracts: Readonly<Record<FeedName, FeedContract>> = {
  alerts: { method: "WatchAlerts", filters: ["all", "policy"] },
  logs: { method: "WatchLogs", filters: ["all", "system"] },
  messages: { method: "WatchMessages", filters: undefined },
};

/** Names the agents' own health server answers for. Source: KubeArmor core/kubeArmor.go. */
export const healthNames = [
  "feeder.LogService",
  "policy.PolicyService",
  "policy.ProbeService",
  "state_agent.StateAgent",
] as const;

const protoFile = fileURLToPath(new URL("../../proto/kubearmor.proto", import.meta.url));
const loaded = loadSync(protoFile, { keepCase: true, longs: Number });
const logService = loaded["feeder.LogService"] as ServiceDefinition;

function method(name: string): MethodDefinition<object, object> {
  const definition = logService[name];
  if (definition === undefined) throw new Error(`Cannot find method "${name}" in ${protoFile}`);
  return definition;
}

/** A streaming method whose answers are bytes on both sides: encoding and decoding are done where they are wanted. */
export function rawStream(feed: FeedName): GrpcMethod<StreamRequest, Buffer> {
  const { path, requestSerialize, requestDeserialize } = method(feedContracts[feed].method);
  return {
    path,
    requestStream: false,
    responseStream: true,
    requestSerialize,
    requestDeserialize: requestDeserialize as (bytes: Buffer) => StreamRequest,
    responseSerialize: (bytes) => bytes,
    responseDeserialize: (bytes) => bytes,
  };
}

export const healthCheck = method("HealthCheck");

export function encodeEvent(feed: FeedName, event: object): Buffer {
  return method(feedContracts[feed].method).responseSerialize(event);
}

/** @throws when the bytes are not a message of that feed */
export function decodeEvent(feed: FeedName, bytes: Buffer): object {
  return method(feedContracts[feed].method).responseDeserialize(bytes);
}
