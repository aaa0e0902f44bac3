import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { KubeClient, KubeObject, ObjectName, Resource } from "../../lib/kube/types.ts";
import { type Relay, parseRelay, relayResource } from "../api/relay.ts";
import type { LiveObject, PlanDeps, PlannedWrite } from "../decide/plan.ts";
import type { Reach } from "../decide/reach.ts";
import type { Transition } from "../decide/transitions.ts";
import type { Unseen } from "../decide/unseen.ts";
import type { DeploymentOptions } from "../desired/deployment.ts";
import { type Reconcile, done } from "../engine/outcome.ts";
import { parseKey } from "../watch/keys.ts";
import { cleanUp, sweep } from "./clean-up.ts";
import { Contention } from "./contention.ts";
import { converge } from "./converge.ts";
import { preview } from "./preview.ts";
import { StatusPace } from "./status-pace.ts";
import type { Write } from "./write.ts";

/** What the reconciler reads without asking the server. */
export interface View {
  covers(namespace: string): boolean;
  get(resource: Resource, name: ObjectName): KubeObject | undefined;
  /** The relays of the namespace that want a Service of this name. */
  relaysWanting(namespace: string, service: string): readonly KubeObject[];
  childrenOf(key: string): readonly LiveObject[];
  podsOf(key: string): readonly KubeObject[];
  /** The kinds of which changes are not heard, because the server refuses to tell. */
  unseen(): readonly Unseen[];
}

export interface ReconcilerDeps {
  readonly view: View;
  readonly client: KubeClient;
  /** Told of every object written, so that the view has it before its watch event comes. */
  readonly wrote: (resource: Resource, object: KubeObject) => void;
  readonly differences: PlanDeps["differences"];
  readonly clock: Clock;
  readonly log: Log;
  /** Takes an Event about a relay; never fails. */
  readonly record: (relay: Relay, transition: Transition) => void;
  /** Counts a write. */
  readonly onWrite: (write: Write) => void;
  /** Counts a repair of what somebody else did. */
  readonly onDrift: (write: PlannedWrite) => void;
}

export interface ReconcilerOptions extends DeploymentOptions {
  /** Write nothing, and log what would be written. Default false. */
  readonly dryRun?: boolean;
  /** Default: the whole cluster. */
  readonly reach?: Reach | undefined;
  /** No change announces that somebody else's object, a quota, a policy or a right is no more in the way. Default a minute. */
  readonly recheckBlockedMs?: number | undefined;
}

/** What is kept from one pass to the next: about the pace of writes only, and of no matter when it is lost. */
export interface Memory {
  readonly pace: StatusPace;
  readonly contention: Contention;
}

/**
 * Reads everything anew at every call: it does not know what changed, so that a missed or repeated notification does no
 * harm.
 */
export function createReconciler(options: ReconcilerOptions, deps: ReconcilerDeps): Reconcile {
  const memory: Memory = { pace: new StatusPace(deps.clock), contention: new Contention(deps.clock) };
  return async (key, signal) => {
    const name = parseKey(key);
    if (!deps.view.covers(name.namespace)) return done;
    const object = deps.view.get(relayResource, name);
    if (options.dryRun === true)
      return object === undefined ? done : await preview(key, parseRelay(object), options, deps, signal);
    if (object === undefined) memory.contention.forget(key);
    if (object === undefined) return await sweep(key, name, options.reach, deps, signal);
    const relay = parseRelay(object);
    if (relay.metadata.deletionTimestamp !== undefined) return await cleanUp(relay, options.reach, deps, signal);
    return await converge(key, relay, options, { ...deps, ...memory }, signal);
  };
}
