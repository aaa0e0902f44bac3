import type { KubeObject } from "../../lib/kube/types.ts";

/** What the holder of the lease says with every write of it. Ages, because clocks of replicas are not compared. */
export interface Statement {
  /** How old the oldest event may be that it has received and not printed. */
  readonly unprintedMs: number;
  /** For how long it has received the events of every agent. */
  readonly receivingMs: number;
}

const unprinted = "operator.kubearmor.com/unprinted-ms";
const receiving = "operator.kubearmor.com/receiving-ms";

/** As annotations, rounded to the careful side. */
export function statementOf({ unprintedMs, receivingMs }: Statement): Readonly<Record<string, string>> {
  return { [unprinted]: String(Math.ceil(unprintedMs)), [receiving]: String(Math.floor(receivingMs)) };
}

/** Where it says nothing that can be understood, the holder is not believed to have printed anything. */
export function parseStatement({ metadata: { annotations = {} } }: KubeObject): Statement {
  const unprintedMs = ageOf(annotations[unprinted]);
  const receivingMs = ageOf(annotations[receiving]);
  return unprintedMs === undefined || receivingMs === undefined
    ? { unprintedMs: Number.POSITIVE_INFINITY, receivingMs: Number.POSITIVE_INFINITY }
    : { unprintedMs, receivingMs };
}

function ageOf(text: string | undefined): number | undefined {
  const age = Number(text ?? "none");
  return age >= 0 ? age : undefined;
}
