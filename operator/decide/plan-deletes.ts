import { roles } from "../../lib/kube/resources.ts";
import type { DesiredObject } from "../desired/object.ts";
import type { LiveObject, Plan } from "./plan.ts";
import { writeFailure } from "./write-result.ts";

/** A write that was refused. */
export interface RefusedWrite {
  readonly object: Pick<DesiredObject, "resource">;
  readonly error: unknown;
}

/**
 * Which of the plan's deletions may follow its writes. What is to be replaced serves until all is there that replaces it; but
 * rights that are no longer wanted wait only for the rights that replace them.
 */
export function dueDeletes(
  { deletes, foreign, leaving, claimed, adoptLater }: Plan,
  refused: readonly RefusedWrite[],
): readonly LiveObject[] {
  const inTheWay = [...foreign, ...leaving, ...claimed.map(({ desired }) => desired)];
  if (refused.length + inTheWay.length + adoptLater.length === 0) return deletes;
  const lacking = [...inTheWay, ...refused.filter(isWaitedFor).map(({ object }) => object)];
  return lacking.some(isOfRights) ? [] : deletes.filter(isOfRights);
}

/** In a namespace that is not there, or going, there is nothing that could be read. */
function isWaitedFor({ error }: RefusedWrite): boolean {
  const { reason } = writeFailure(error);
  return reason !== "NamespaceNotFound" && reason !== "NamespaceTerminating";
}

function isOfRights({ resource }: Pick<DesiredObject, "resource">): boolean {
  return resource.group === roles.group;
}
