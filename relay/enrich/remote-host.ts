import type { EventFields } from "./event-fields.ts";

/** Fields of a log. Source: proto/kubearmor.proto. */
const operationField = 15;
export const resourceField = 16;
const dataField = 17;

const network = Buffer.from("Network");
const tcpProbe = Buffer.from("kprobe=tcp_");
const remoteIp = Buffer.from("remoteip=");
const remoteHost = Buffer.from("remotehost=");

/** What every log that may be given a remotehost holds, and few others: a run without it need not be looked at. */
export const connectionMark: Uint8Array = tcpProbe;

/** An address is at most this long: eight groups of four, or an IPv4 address behind six groups. */
const maxAddressLength = 45;

/** Who a log says is at the other end of a TCP connection. */
export type Peer =
  /** The log is not of a TCP connection, or does not say. */
  | { readonly kind: "none" }
  /** Somebody, for instance a relay that this relay takes events from, has named the peer already. */
  | { readonly kind: "named" }
  | { readonly kind: "address"; readonly address: string };

const none: Peer = { kind: "none" };
const named: Peer = { kind: "named" };

/**
 * Reads the peer from a log whose fields have been found. Agents write `remoteip=ADDRESS port=… protocol=…` into Resource
 * and `kprobe=tcp_connect …` or `kprobe=tcp_accept …` into Data of what they see in the kernel. Only such a log is taken,
 * and only whole words of it: the arguments of a process could hold the rest.
 */
export function peerOf(bytes: Buffer, fields: EventFields): Peer {
  const [operation, operationEnd] = [fields.start(operationField), fields.end(operationField)];
  if (operationEnd - operation !== network.length || !beginsWith(bytes, operation, operationEnd, network)) return none;
  if (findWord(bytes, fields.start(dataField), fields.end(dataField), tcpProbe) < 0) return none;
  const [start, end] = [fields.start(resourceField), fields.end(resourceField)];
  const word = findWord(bytes, start, end, remoteIp);
  if (word < 0) return none;
  if (findWord(bytes, start, end, remoteHost) >= 0) return named;
  const address = word + remoteIp.length;
  const addressEnd = wordEnd(bytes, address, end);
  if (addressEnd === address || addressEnd - address > maxAddressLength) return none;
  return { kind: "address", address: bytes.toString("latin1", address, addressEnd) };
}

/** What is added to Resource. */
export function remoteHostSuffix(owner: string): Buffer {
  return Buffer.from(` remotehost=${owner}`);
}

/** Where the first word that begins with `prefix` begins, or -1. */
function findWord(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): number {
  for (let at = start; at < end; ) {
    if (beginsWith(bytes, at, end, prefix)) return at;
    at = wordEnd(bytes, at, end);
    while (at < end && isSpace(bytes[at] ?? 0)) at += 1;
  }
  return -1;
}

function wordEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && !isSpace(bytes[at] ?? 0)) at += 1;
  return at;
}

/** White space of ASCII: agents write single spaces. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function beginsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let at = 0; at < prefix.length; at++) if (bytes[start + at] !== prefix[at]) return false;
  return true;
}
