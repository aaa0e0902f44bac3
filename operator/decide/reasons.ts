/** Types of conditions. Ready sums the others up; the last three are there only while they are true, as kstatus expects. */
export const conditionTypes = [
  "Ready",
  "Accepted",
  "Applied",
  "Available",
  "Progressing",
  "Degraded",
  "Reconciling",
  "Stalled",
  "Contended",
] as const;
export type ConditionType = (typeof conditionTypes)[number];

/** Every reason a condition or an Event can have, and what it means. */
export const reasons = {
  Valid: "The spec can be acted upon",
  InvalidSpec: "The spec contradicts itself; the running relay is left as it is",
  Applied: "Every object of the relay is as the spec wants it",
  Suspended: "spec.suspend is true and objects differ from what the spec wants",
  NameConflict: "An object of a wanted name belongs to somebody else, or an older relay wants it; it is not touched",
  Conflict: "KubeArmorOperator runs a relay under the wanted names; it is not touched",
  Contended: "Somebody else keeps writing fields of the relay's objects; they are put back ever more rarely",
  AwaitingDeletion: "An object of a wanted name is being deleted; it is written anew when it is gone",
  PermissionDenied: "The operator's role does not allow a request",
  QuotaExceeded: "A ResourceQuota of the namespace refuses an object",
  NamespaceTerminating: "The namespace is being deleted",
  Rejected: "The server or an admission policy refuses an object for good",
  ApplyFailed: "A write failed and is retried",
  PodsAvailable: "At least one relay pod serves",
  NoPodsAvailable: "No relay pod serves",
  ScaledToZero: "spec.replicas is 0: nothing collects events",
  RolloutInProgress: "Pods of the newest template are being brought up",
  RolloutComplete: "All pods are of the newest template",
  RolloutNotObserved: "The Deployment's controller has not seen the newest template yet",
  NotApplied: "There is no Deployment",
  ProgressDeadlineExceeded: "The rollout did not progress in time",
  PodsRefused: "Pods cannot be created, for instance because of a quota or an admission policy",
  PodsNotAvailable: "Pods that were there are not available",
  CrashLooping: "The relay's process ends again and again",
  ImagePullFailed: "The node cannot pull the image",
  ContainerNotStarted: "The node cannot start the container",
  Unschedulable: "No node takes the pod",
  AsExpected: "Nothing is wrong with the pods",
  RelayReady: "Every relay pod runs the newest template and serves",
  DriftRepaired: "Somebody else changed or deleted an object of the relay, and it was put back",
  CleanupAbandoned: "Cluster-scoped objects of a deleted relay could not be deleted in time and are left behind",
} as const;
export type Reason = keyof typeof reasons;
