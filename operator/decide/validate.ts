import type { Relay } from "../api/relay.ts";

/** What is wrong with a relay, a sentence each, in the order of the schema: empty = it can be acted upon. */
export function problemsOf(relay: Relay): readonly string[] {
  return sentencesOf(relay, false);
}

/** What the API would refuse today and is acted upon all the same, because an older CRD allowed it, likewise. */
export function warningsOf(relay: Relay): readonly string[] {
  return sentencesOf(relay, true);
}

function sentencesOf({ violations = [] }: Relay, isTolerated: boolean): readonly string[] {
  return violations
    .filter((violation) => violation.isTolerated === isTolerated)
    .map(({ path, message }) => `${path === "" ? "metadata.name" : path}: ${message}`);
}
