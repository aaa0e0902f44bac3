/** What may happen in a world, with how often it does, relative to the others. */
export const actionKinds = [
  // Agents speak.
  ["emit", 60],
  ["burst", 4],
  ["unreadable", 2],
  ["notice", 2],
  // Agents and the network fail.
  ["break-stream", 6],
  ["refuse-feed", 2],
  ["health", 2],
  ["kill", 2],
  ["restart", 4],
  ["cut", 3],
  ["freeze", 2],
  ["goaway", 2],
  ["dialling", 3],
  // Pods come and go.
  ["add-pod", 1.5],
  ["remove-pod", 1],
  ["replace-pod", 1.5],
  ["change-pod", 1],
  ["report", 2],
  // Clients come and go.
  ["join", 6],
  ["leave", 4],
  ["storm", 1],
  ["desert", 2],
  ["odd-request", 1],
  ["stick", 2],
  // What is printed, and where to.
  ["toggle", 3],
  ["limits", 2],
  ["stdout", 2],
] as const;

export type ActionKind = (typeof actionKinds)[number][0];
