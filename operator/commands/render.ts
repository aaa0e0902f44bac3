import { stringify } from "yaml";
import type { KubeObject } from "../../lib/kube/types.ts";
import type { Relay } from "../api/relay.ts";
import type { DeploymentOptions } from "../desired/deployment.ts";
import { ownerLabels } from "../desired/names.ts";
import { desiredObjects } from "../desired/objects.ts";

/** kubectl reads YAML 1.1, where a plain `yes` is true and no text. */
const yamlOptions = { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" } as const;

/** The relays' objects as YAML that kubectl takes: without their owner, whose UID only a cluster gives. */
export function render(relays: readonly Relay[], options: DeploymentOptions): string {
  return relays
    .flatMap((relay) => desiredObjects(relay, options))
    .map(({ object }) => stringify(withoutOwner(object), yamlOptions))
    .join("---\n");
}

function withoutOwner(object: KubeObject): KubeObject {
  const { ownerReferences: _owner, labels = {}, ...metadata } = object.metadata;
  const { [ownerLabels.uid]: _uid, ...kept } = labels;
  return { ...object, metadata: { ...metadata, labels: kept } };
}
