import type { KubeObject, Resource } from "../../lib/kube/types.ts";
import { objectText } from "./plan.ts";

/**
 * How messages about a relay name one of its objects: one of another namespace with that, because those of several
 * namespaces have one name.
 *
 * @param home the relay's namespace
 */
export function placeText(
  each: { readonly resource: Resource; readonly object: KubeObject },
  home: string | undefined,
): string {
  const { namespace } = each.object.metadata;
  return namespace === undefined || namespace === home ? objectText(each) : `${objectText(each)} in ${namespace}`;
}
