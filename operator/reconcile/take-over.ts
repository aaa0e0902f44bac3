import { type ApiError, isConflict, isInvalid } from "../../lib/kube/errors.ts";
import { withFieldsTaken, withWritersSucceeded } from "../../lib/kube/managed-fields.ts";
import type { KubeClient, KubeObject, ManagedFieldsEntry } from "../../lib/kube/types.ts";
import { keepsItsFields, untakenPaths } from "../decide/adoption.ts";
import { invalidFields } from "../decide/invalid-fields.ts";
import type { DesiredObject } from "../desired/object.ts";

/** Controllers report into the same objects all the time, and each report makes what was read stale. */
const maxTries = 5;

export interface TakeOver {
  readonly desired: DesiredObject;
  /** Of the object as it is: one that took its name meanwhile is left alone. */
  readonly uid: string;
  readonly fieldManager: string;
}

type Client = Pick<KubeClient, "get" | "jsonPatch">;

/**
 * Takes what others wrote next to our fields, so that the next apply removes it. A forced apply takes the fields that it names
 * and leaves their siblings, and with one of those the object may be invalid: a `value` beside our `valueFrom`, a second
 * port of our port's name.
 * @param invalid the refusal of the apply without this
 * @returns whether there was anything to take
 */
export async function takeOver(
  target: TakeOver,
  invalid: ApiError,
  client: Client,
  signal: AbortSignal,
): Promise<boolean> {
  const paths = invalidFields(invalid);
  return await rewrite(target, (live) => withFieldsTaken(live, target.fieldManager, paths), client, signal);
}

/** Takes all that others wrote, so that the next apply makes of the object what it would be had we made it. */
export async function adopt(target: TakeOver, client: Client, signal: AbortSignal): Promise<void> {
  const succession = { fieldManager: target.fieldManager, keeps: keepsItsFields, untaken: untakenPaths };
  await rewrite(target, (live) => withWritersSucceeded(live, succession), client, signal);
}

/** Rewrites the record of who wrote which field of the object, and nothing of the object itself. */
async function rewrite(
  { desired: { resource, object }, uid }: TakeOver,
  recordOf: (live: KubeObject) => readonly ManagedFieldsEntry[] | undefined,
  client: Client,
  signal: AbortSignal,
): Promise<boolean> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const live = await client.get(resource, object.metadata, signal);
    if (live?.metadata.uid !== uid) return false;
    const managedFields = recordOf(live);
    if (managedFields === undefined) return false;
    const patch = [
      { op: "test", path: "/metadata/resourceVersion", value: live.metadata.resourceVersion },
      { op: "replace", path: "/metadata/managedFields", value: managedFields },
    ];
    try {
      await client.jsonPatch(resource, object.metadata, patch, signal);
      return true;
    } catch (error) {
      // A test that fails is answered with 422, a write that came between test and patch with 409.
      if (!isConflict(error) && !isInvalid(error)) throw error;
    }
  }
  return false;
}
