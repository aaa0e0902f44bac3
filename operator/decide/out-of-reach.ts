import type { Relay } from "../api/relay.ts";
import { discoveryRights } from "../desired/roles.ts";
import { placeText } from "./place-text.ts";
import { type Reach, beyondReach } from "./reach.ts";

/**
 * What was perhaps made for a relay while the operator's rights went further, and cannot be deleted by it now: names for a
 * message. Only of a relay that asks for too much is it known that it may have had it.
 */
export function outOfReach(relay: Relay, reach: Reach): readonly string[] {
  if (reach === undefined || beyondReach(relay, reach).length === 0) return [];
  return discoveryRights(relay)
    .filter(({ object: { metadata } }) => metadata.namespace === undefined || !reach.includes(metadata.namespace))
    .map((each) => placeText(each, relay.metadata.namespace));
}
