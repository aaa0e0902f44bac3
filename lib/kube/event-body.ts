import { microTime } from "./micro-time.ts";
import { apiVersion, events } from "./resources.ts";
import type { KubeObject } from "./types.ts";

/** What happened, for `kubectl describe` and `kubectl events`. */
export interface EventFacts {
  /** The object that it is about. */
  readonly regarding: ObjectReference;
  readonly related?: ObjectReference;
  readonly type: "Normal" | "Warning";
  /** CamelCase, stable: machines read it. */
  readonly reason: string;
  /** What was tried, CamelCase. */
  readonly action: string;
  /** For people. */
  readonly note: string;
}

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface Reporter {
  /** Qualified name, for instance `operator.kubearmor.com/relay`. */
  readonly controller: string;
  /** The pod's name. */
  readonly instance: string;
}

/** Bytes; the server refuses longer ones. */
const maxNoteBytes = 1024;
const maxNameLength = 253;

/** A reference to an object as the API sent it. */
export function referenceTo(object: KubeObject): ObjectReference {
  const { apiVersion: version, kind, metadata } = object;
  return {
    apiVersion: version,
    kind,
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
  };
}

/**
 * Two events with one key are a repetition: all but the note, which may carry numbers, and the object's version.
 */
export function eventKey(facts: EventFacts): string {
  const { regarding, related, type, reason, action } = facts;
  return JSON.stringify([objectKey(regarding), related === undefined ? "" : objectKey(related), type, reason, action]);
}

export function objectKey(reference: ObjectReference): string {
  const { apiVersion: version, kind, namespace, name, uid } = reference;
  return JSON.stringify([version, kind, namespace ?? "", name, uid ?? ""]);
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export function eventBody(facts: EventFacts, reporter: Reporter, nowMs: number, unique: string): KubeObject {
  const { regarding, related, type, reason, action, note } = facts;
  return {
    apiVersion: apiVersion(events),
    kind: events.kind,
    metadata: {
      // An event about something cluster-scoped lives in the namespace "default".
      namespace: regarding.namespace ?? "default",
      name: `${regarding.name.slice(0, maxNameLength - unique.length - 1)}.${unique}`,
    },
    eventTime: microTime(nowMs),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, 128),
    type,
    reason,
    action,
    note: truncate(note),
    regarding,
    ...(related === undefined ? {} : { related }),
  };
}

/** Cuts at a character, and says that it did. */
function truncate(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= maxNoteBytes) return note;
  let end = maxNoteBytes - 3;
  // A continuation byte at the cut: back to the first byte of its character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}...`;
}
