import { ApiError, isInvalid } from "../../lib/kube/errors.ts";
import type { KubeClient, KubeObject, Resource } from "../../lib/kube/types.ts";
import type { LiveObject, Plan, PlannedWrite } from "../decide/plan.ts";
import { objectText } from "../decide/plan.ts";
import { dueDeletes } from "../decide/plan-deletes.ts";
import { isStale } from "../decide/write-result.ts";
import { fieldManager } from "../desired/names.ts";
import { stageOf } from "../desired/objects.ts";
import { adopt, takeOver } from "./take-over.ts";

export interface WriteDeps {
  readonly client: Pick<KubeClient, "apply" | "delete" | "get" | "jsonPatch">;
  /** Told of every object written. */
  readonly wrote: (resource: Resource, object: KubeObject) => void;
  /** Counts and logs one write. */
  readonly onWrite: (write: Write) => void;
}

export interface Write {
  readonly kind: "apply" | "delete";
  readonly object: LiveObject;
  /** Whether it was there before: then this is a change of it or its repair. */
  readonly existed: boolean;
  readonly error?: unknown;
}

export interface CarriedOut {
  readonly written: readonly PlannedWrite[];
  /** Of what was refused or failed. */
  readonly errors: readonly unknown[];
}

/**
 * No object has this version, as the store begins with it. An apply that names a version makes an object that is not there,
 * and is refused as a conflict for one that is.
 */
const versionOfNone = "1";

/**
 * Carries the plan out, a stage at a time. A refusal of one object does not keep the others from being written; a broken
 * connection does, and so does, for a relay that does not run yet, a name that turns out to be taken.
 */
export async function carryOut(plan: Plan, deps: WriteDeps, signal: AbortSignal): Promise<CarriedOut> {
  const errors: unknown[] = [];
  const refused: Required<Write>[] = [];
  const written: PlannedWrite[] = [];
  const attempt = async (write: Write, act: () => Promise<void>) => {
    try {
      await act();
      deps.onWrite(write);
    } catch (error) {
      errors.push(error);
      refused.push({ ...write, error });
      deps.onWrite({ ...write, error });
    }
  };
  for (const stage of [0, 1, 2]) {
    const pairs = plan.writes.filter(({ desired }) => stageOf(desired) === stage);
    // A role alone takes the server 100 ms, as it checks what may be granted.
    await Promise.all(
      pairs.map((pair) => {
        const write: Write = { kind: "apply", object: pair.desired, existed: pair.live !== undefined };
        return attempt(write, async () => {
          await apply(pair, deps, signal);
          written.push(pair);
        });
      }),
    );
    if (errors.some((error) => !(error instanceof ApiError))) return { written, errors };
    if (!plan.isRunning && errors.some(isStale)) return { written, errors };
  }
  for (const object of dueDeletes(plan, refused)) {
    await attempt({ kind: "delete", object, existed: true }, () => remove(object, deps.client, signal));
  }
  return { written, errors };
}

async function apply(
  { desired, live, adopts = false }: PlannedWrite,
  deps: WriteDeps,
  signal: AbortSignal,
): Promise<void> {
  const { client } = deps;
  const { resource, object } = desired;
  const uid = live?.metadata.uid;
  // Conditional: what was judged to be ours is written, and not what took its name meanwhile.
  const condition = live === undefined ? { resourceVersion: versionOfNone } : uid === undefined ? {} : { uid };
  const body: KubeObject = { ...object, metadata: { ...object.metadata, ...condition } };
  // By force: these objects are ours, and every field that we send is.
  const send = () => client.apply(resource, body, { fieldManager, force: true }, signal);
  if (adopts && uid !== undefined) await adopt({ desired, uid, fieldManager }, client, signal);
  try {
    deps.wrote(resource, await send());
  } catch (error) {
    if (!isInvalid(error) || live === undefined || uid === undefined || !hasSameOwner(live, object)) throw error;
    if (!(await takeOver({ desired, uid, fieldManager }, error, client, signal))) throw error;
    deps.wrote(resource, await send());
  }
}

function hasSameOwner(live: KubeObject, desired: KubeObject): boolean {
  const owner = controllerUid(desired);
  return owner !== undefined && controllerUid(live) === owner;
}

function controllerUid({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid;
}

/** Only the very object that was looked at: never one that took its name meanwhile. */
export async function remove(live: LiveObject, client: Pick<KubeClient, "delete">, signal: AbortSignal): Promise<void> {
  const { metadata } = live.object;
  if (metadata.uid === undefined) throw new Error(`Cannot delete ${objectText(live)}: its UID is not known`);
  const options = { uid: metadata.uid, propagationPolicy: "Background" } as const;
  await client.delete(live.resource, metadata, options, signal);
}
