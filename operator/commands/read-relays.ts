import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../lib/kube/types.ts";
import { type Relay, apiVersion, parseRelay, relayKind } from "../api/relay.ts";
import { problemsOf, warningsOf } from "../decide/validate.ts";

/** As kubectl. */
const defaultNamespace = "default";

export type ReadRelays =
  | {
      readonly kind: "read";
      readonly relays: readonly Relay[];
      /** What the operator would act upon all the same, a sentence each. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: "invalid"; readonly errors: readonly string[] };

/** The relays of a file of one or several documents; other kinds in it are passed over, as in a folder of manifests. */
export function readRelays(text: string): ReadRelays {
  const relays: Relay[] = [];
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const document of parseAllDocuments(text)) {
    for (const error of document.errors) errors.push(error.message.split("\n")[0] ?? "");
    const object: unknown = document.errors.length === 0 ? document.toJS() : undefined;
    if (!isRelay(object)) continue;
    const named = {
      ...object,
      metadata: { namespace: defaultNamespace, ...object.metadata },
      spec: object["spec"] ?? {},
    };
    const relay = parseRelay(named);
    const about = (sentence: string) => `${relayKind} ${relay.metadata.name}: ${sentence}`;
    errors.push(...problemsOf(relay).map(about));
    warnings.push(...warningsOf(relay).map(about));
    relays.push(relay);
  }
  if (errors.length === 0 && relays.length === 0)
    errors.push(`There is no ${relayKind} of ${apiVersion} with a name in it`);
  return errors.length > 0 ? { kind: "invalid", errors } : { kind: "read", relays, warnings };
}

function isRelay(value: unknown): value is KubeObject {
  const object = value as Partial<KubeObject> | null | undefined;
  return object?.kind === relayKind && object.apiVersion === apiVersion && typeof object.metadata?.name === "string";
}
