import { isIP, SocketAddress } from "node:net";

export interface Endpoint {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A KubeArmor agent as discovery knows it. */
export interface Agent {
  /** The pod's UID, because names and addresses are used again; `static:host:port` for an agent from the command line. */
  readonly id: string;
  /** What people know it by: the Kubernetes node, else the pod, else the endpoint. */
  readonly name: string;
  /** Tried in turn: one an address family, usually. Never empty. */
  readonly endpoints: readonly Endpoint[];
}

/**
 * `10.0.0.1:32767`, `[fd00::1]:32767`: one text for all spellings of an endpoint, so that what is compared, shown and
 * dialled is the same.
 */
export function endpointText({ host, port }: Endpoint): string {
  const canonical = canonicalHost(host);
  return canonical.includes(":") ? `[${canonical}]:${port}` : `${canonical}:${port}`;
}

/** Reads `host:port`, `[v6]:port`; undefined when it is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** Names in lower case, IPv6 as RFC 5952 writes it, an IPv4-mapped address as the IPv4 address that it stands for. */
function canonicalHost(host: string): string {
  if (isIP(host) !== 6) return host.toLowerCase();
  const [literal = host, zone] = host.split("%");
  const { address } = new SocketAddress({ address: literal, family: "ipv6" });
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  return mapped ?? (zone === undefined ? address : `${address}%${zone}`);
}
