/** What a reconcile that did not throw asks for. */
export type Outcome = { readonly kind: "done" } | { readonly kind: "requeue-after"; readonly afterMs: number };

export const done: Outcome = { kind: "done" };

/** Retrying cannot help until something changes: recorded and not retried. Every other error is retried with backoff. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
}

/** Looks at everything anew and converges; it must not depend on why it was called. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Outcome>;
