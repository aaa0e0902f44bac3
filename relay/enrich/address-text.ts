import { isIPv4, isIPv6, SocketAddress } from "node:net";

/**
 * An address as agents write it, or undefined if the text is none: IPv6 in lower case and as short as RFC 5952 wants it,
 * an IPv4-mapped address as the IPv4 address that it stands for. Agents print with Go's `net.IP`, so that two texts of one
 * address are the same text, and whoever looks one up need not parse it.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  // A zone belongs to one machine: such an address says nothing about the cluster.
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const { address } = new SocketAddress({ address: text, family: "ipv6" });
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
}
