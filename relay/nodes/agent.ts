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

/** `10.0.0.1:32767`, `[fd00::1]:32767` */
export function endpointText({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host:port`, `[v6]:port`; undefined when it is neither. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}
