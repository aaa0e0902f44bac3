import type { RequestHeaders } from "./cluster.ts";

/** Whom a user of a kubeconfig plays. Keys as in the file. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
export interface Impersonation {
  readonly as?: string;
  readonly "as-uid"?: string;
  readonly "as-groups"?: readonly string[] | null;
  readonly "as-user-extra"?: Readonly<Record<string, readonly string[]>> | null;
}

/**
 * Each group and each value in a header of its own, since the server takes a list in one header for one name.
 * @throws Error when groups, a UID or extras are given without a user: the server would refuse every request
 */
export function impersonationHeaders(user: Impersonation): RequestHeaders {
  const { as, "as-uid": uid, "as-groups": groups, "as-user-extra": extra } = user;
  const headers: Record<string, string | readonly string[]> = {};
  if (uid) headers["impersonate-uid"] = uid;
  if (groups && groups.length > 0) headers["impersonate-group"] = groups;
  for (const [key, values] of Object.entries(extra ?? {}))
    if (values.length > 0) headers[`impersonate-extra-${escapeKey(key)}`] = values;
  if (!as && Object.keys(headers).length > 0)
    throw new Error("Cannot impersonate: as-uid, as-groups and as-user-extra need `as`, which is not set");
  return as ? { "impersonate-user": as, ...headers } : headers;
}

/** What may not be in a header's name, and `%` itself, by percent-encoding: the server decodes it. */
function escapeKey(key: string): string {
  return [...Buffer.from(key.toLowerCase())]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const isAllowed = /[!#$&'*+\-.^_`|~0-9a-z]/.test(character);
      return isAllowed ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}
