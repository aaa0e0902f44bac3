import type { Relay } from "../../operator/api/relay.ts";

/** The rules of the CRD about changes, which only the server can judge: the program sees what is, not what was. */
export function changeProblems(
  { spec: { service: now } }: Relay,
  { spec: { service: was } }: Relay,
): readonly string[] {
  if (now.name !== was.name) return [];
  const isBalanced = now.type === "LoadBalancer" && was.type === "LoadBalancer";
  const [nowFirst, wasFirst] = [now.ipFamilies[0], was.ipFamilies[0]];
  return [
    ...(isBalanced && now.loadBalancerClass !== was.loadBalancerClass
      ? ["loadBalancerClass cannot change while the type stays LoadBalancer"]
      : []),
    ...(nowFirst !== undefined && wasFirst !== undefined && nowFirst !== wasFirst
      ? ["the first of ipFamilies cannot change"]
      : []),
  ];
}
