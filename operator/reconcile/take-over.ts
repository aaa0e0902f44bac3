import { ApiError, isConflict, isInvalid } from "../../lib/kube/errors.ts";
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
  const rewritten = await rewrite(target, (live) => withFieldsTaken(live, target.fieldManager, paths), client, signal);
  return rewritten === "done";
}

/**
 * Takes all that others wrote, so that the next apply makes of the object what it would be had we made it.
 * @throws a conflict when somebody else wrote all the time: applied without this, what they wrote would stay
 */
export async function adopt(
  target: TakeOver,
  client: Client & Pick<KubeClient, "apply">,
  signal: AbortSignal,
): Promise<void> {
  await recordWriters(target, client, signal);
  const succession = { fieldManager: target.fieldManager, keeps: keepsItsFields, untaken: untakenPaths };
  const rewritten = await rewrite(target, (live) => withWritersSucceeded(live, succession), client, signal);
  if (rewritten !== "lost") return;
  const { resource, object } = target.desired;
  const message = `somebody else wrote to it between read and write, ${maxTries} times`;
  const request = { verb: "patch", resource: resource.plural, objectName: object.metadata.name };
  throw new ApiError(409, { reason: "Conflict", message }, request);
}

/** Where somebody cleared the record, the server begins it anew with the first apply, if only one of no field. */
async function recordWriters(
  { desired: { resource, object }, uid, fieldManager }: TakeOver,
  client: Pick<KubeClient, "get" | "apply">,
  signal: AbortSignal,
): Promise<void> {
  const live = await client.get(resource, object.metadata, signal);
  if ((live?.metadata.managedFields ?? []).length > 0) return;
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const identity = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid } };
  await client.apply(resource, identity, { fieldManager, force: false }, signal);
}

/** `nothing`: there was nothing to rewrite; `lost`: somebody else wrote every time between read and write. */
type Rewritten = "done" | "nothing" | "lost";

/** Rewrites the record of who wrote which field of the object, and nothing of the object itself. */
async function rewrite(
  { desired: { resource, object }, uid }: TakeOver,
  recordOf: (live: KubeObject) => readonly ManagedFieldsEntry[] | undefined,
  client: Client,
  signal: AbortSignal,
): Promise<Rewritten> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const live = await client.get(resource, object.metadata, signal);
    if (live?.metadata.uid !== uid) return "nothing";
    const managedFields = recordOf(live);
    if (managedFields === undefined) return "nothing";
    const patch = [
      { op: "test", path: "/metadata/resourceVersion", value: live.metadata.resourceVersion },
      { op: "replace", path: "/metadata/managedFields", value: managedFields },
    ];
    try {
      await client.jsonPatch(resource, object.metadata, patch, signal);
      return "done";
    } catch (error) {
      // A test that fails is answered with 422, a write that came between test and patch with 409.
      if (!isConflict(error) && !isInvalid(error)) throw error;
    }
  }
  return "lost";
}
