import type { Relay } from "../../api/relay.ts";
import type { PodOptions } from "../container.ts";
import { podTemplate } from "../pod-template.ts";
import { objectLabels, selectorLabels } from "../names.ts";
import { asStored } from "./as-stored.ts";
import { type Fields, isFields } from "./fields.ts";
import { type Merged, merge } from "./merge.ts";
import { templateShape } from "./shape.ts";

/** The operator's own template with spec.podTemplate laid over it, as the server stores it. */
export function finalTemplate(relay: Relay, options: PodOptions): Fields {
  const { value } = merged(relay, options);
  const metadata = isFields(value["metadata"]) ? value["metadata"] : {};
  const labels = isFields(metadata["labels"]) ? metadata["labels"] : {};
  // Whatever is asked for, these pods must stay ours: the Deployment's selector cannot change.
  const own = { ...labels, ...objectLabels(relay), ...selectorLabels(relay) };
  return asStored({ ...value, metadata: { ...metadata, labels: own } });
}

/**
 * Where spec.podTemplate replaces or removes what the operator sets, for instance
 * `.spec.containers[kubearmor-relay-server].image`: that is allowed, and worth a warning.
 */
export function templateOverrides(relay: Relay, options: PodOptions = { defaultImage: "" }): readonly string[] {
  return merged(relay, options).overridden;
}

function merged(relay: Relay, options: PodOptions): Merged {
  return merge(podTemplate(relay, options), relay.spec.podTemplate, templateShape);
}
