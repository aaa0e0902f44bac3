import { serviceAccounts } from "../../lib/kube/resources.ts";
import type { Relay } from "../api/relay.ts";
import { type DesiredObject, namespacedObject } from "./object.ts";

export function serviceAccount(relay: Relay): DesiredObject {
  return namespacedObject(relay, serviceAccounts, {
    name: relay.metadata.name,
    // Only the relay's own pods ask for the token.
    body: { automountServiceAccountToken: false },
  });
}
