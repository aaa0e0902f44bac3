import type { Relay } from "../api/relay.ts";
import { metricsServiceName } from "../desired/names.ts";
import { templateOverrides } from "../desired/template/overlay.ts";
import { templateProblems } from "../desired/template/problems.ts";

/** What is wrong with a relay, a sentence each, in the order of the schema: empty = it can be acted upon. */
export function problemsOf(relay: Relay): readonly string[] {
  return [...sentencesOf(relay, false), ...serviceProblems(relay), ...templateProblems(relay)];
}

/** Of a long name the metrics Service has only a part, which no rule of the CRD can tell. */
function serviceProblems(relay: Relay): readonly string[] {
  const { name } = relay.spec.service;
  const isTaken = name === metricsServiceName(relay) && name !== `${relay.metadata.name}-metrics`;
  return isTaken ? ["spec.service.name: the name is that of the Service for metrics"] : [];
}

/** What is acted upon all the same: what an older CRD allowed, and what of ours is not as we make it; likewise. */
export function warningsOf(relay: Relay): readonly string[] {
  const overrides = templateOverrides(relay);
  const told = overrides.length === 0 ? [] : [`spec.podTemplate: overrides ${overrides.join(", ")}`];
  return [...sentencesOf(relay, true), ...told];
}

function sentencesOf({ violations = [] }: Relay, isTolerated: boolean): readonly string[] {
  return violations
    .filter((violation) => violation.isTolerated === isTolerated)
    .map(({ path, message }) => `${path === "" ? "metadata.name" : path}: ${message}`);
}
