import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";

/** The database of a control plane, by etcd's own API. https://etcd.io/docs/v3.6/dev-guide/api_reference_v3/ */
export interface Etcd extends Disposable {
  /** Forgets all versions before this one. */
  compact(revision: string): Promise<void>;
  /** Refuses every write from now on, as a full disk would make it do. */
  raiseNoSpace(): Promise<void>;
  clearNoSpace(): Promise<void>;
}

const noSpace = 1;
const activate = 1;
const deactivate = 2;

/** @param dir of the control plane */
export function connectEtcd(dir: string): Etcd {
  const client = new Client(`unix:${join(dir, "etcd.sock")}`, credentials.createInsecure());
  const call = (path: string, fields: Readonly<Record<number, bigint>>): Promise<void> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/etcdserverpb.${path}`,
        () => encode(fields),
        (answer) => answer,
        {},
        (error) => (error === null ? resolve() : reject(new Error(`Cannot call ${path} of etcd`, { cause: error }))),
      );
    });
  const alarm = (action: number) => call("Maintenance/Alarm", { 1: BigInt(action), 3: BigInt(noSpace) });
  return {
    compact: (revision) => call("KV/Compact", { 1: BigInt(revision), 2: 1n }),
    raiseNoSpace: () => alarm(activate),
    clearNoSpace: () => alarm(deactivate),
    [Symbol.dispose]: () => client.close(),
  };
}

/** A protobuf message of varints. https://protobuf.dev/programming-guides/encoding/ */
function encode(fields: Readonly<Record<number, bigint>>): Buffer {
  return Buffer.from(
    Object.entries(fields).flatMap(([field, value]) => varint(BigInt(field) << 3n).concat(varint(value))),
  );
}

function varint(value: bigint): number[] {
  return value < 128n ? [Number(value)] : [Number((value & 127n) | 128n)].concat(varint(value >> 7n));
}
