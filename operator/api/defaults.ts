/** Where the schema of the API has defaults: a node per field that has one, or has one below it. */
export interface DefaultsNode {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, DefaultsNode>>;
}

/**
 * What the server's structural defaulting returns for `value`: absent fields get their default, and defaults inside of it
 * follow. The operator does it again because an object may have been stored under an older schema.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
 */
export function withDefaults(value: unknown, node: DefaultsNode): unknown {
  // An explicit null counts as absent, as it does for the server when the field is not nullable.
  const present = value ?? structuredClone(node.default);
  if (node.properties === undefined || typeof present !== "object" || present === null || Array.isArray(present))
    return present;
  const out: Record<string, unknown> = { ...present };
  for (const [name, child] of Object.entries(node.properties)) {
    const field = withDefaults(out[name], child);
    if (field === undefined) delete out[name];
    else out[name] = field;
  }
  return out;
}
