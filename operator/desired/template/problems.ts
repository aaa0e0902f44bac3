import type { Relay } from "../../api/relay.ts";
import { containerName } from "../container.ts";
import { type Fields, isFields } from "./fields.ts";
import { itemKey, keyText } from "./item-key.ts";
import { isRemoval, removal } from "./merge.ts";
import { type Shape, fieldShape, templateShape } from "./shape.ts";

/** Where the relay's Services, its Deployment and the operator look for its pods. */
const ownLabel = /^(kubearmor-app$|operator\.kubearmor\.com\/|app\.kubernetes\.io\/)/;
const root = "spec.podTemplate";

/**
 * Why spec.podTemplate cannot be merged, a sentence each, in a stable order: empty = it can. The server says what it thinks of
 * the rest, but of a key that is there twice nothing but that it failed.
 */
export function templateProblems({ spec: { podTemplate } }: Relay): readonly string[] {
  const { metadata, spec } = podTemplate as Fields;
  return [
    ...labelProblems(metadata),
    ...accountProblems(spec),
    ...containerProblems(spec),
    ...shapeProblems(podTemplate, templateShape, root),
  ];
}

function labelProblems(metadata: unknown): readonly string[] {
  const labels = isFields(metadata) && isFields(metadata["labels"]) ? metadata["labels"] : {};
  return Object.keys(labels)
    .filter((key) => ownLabel.test(key))
    .map((key) => `${root}.metadata.labels: the label ${key} belongs to the operator`);
}

/** The server passes the old name over, and then writes into it what the new one says. */
function accountProblems(spec: unknown): readonly string[] {
  const account = isFields(spec) ? spec["serviceAccount"] : undefined;
  if (account === undefined || isRemoval(account)) return [];
  return [`${root}.spec.serviceAccount: this is the old name of serviceAccountName, use that`];
}

function containerProblems(spec: unknown): readonly string[] {
  const containers = isFields(spec) ? spec["containers"] : undefined;
  const isGone = Array.isArray(containers) ? containers.some(isOwnRemoval) : isRemoval(containers);
  return isGone ? [`${root}.spec.containers: the container ${containerName} cannot be removed`] : [];
}

function isOwnRemoval(item: unknown): boolean {
  return isFields(item) && item["name"] === containerName && isRemoval(item);
}

function shapeProblems(value: unknown, shape: Shape, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (shape.keys !== undefined) return listProblems(value, { ...shape, keys: shape.keys }, path);
  if (isFields(value)) {
    return Object.entries(value).flatMap(([name, child]) =>
      name.startsWith("$")
        ? directiveProblems(name, child, path)
        : shapeProblems(child, fieldShape(shape, name), `${path}.${name}`),
    );
  }
  // What merging treats as an object the server does, too.
  const isObject = shape.fields !== undefined || shape.oneOf !== undefined;
  return isObject ? [`${path}: must be an object`] : [];
}

function directiveProblems(name: string, value: unknown, path: string): readonly string[] {
  if (name === removal.directive && value === removal.value) return [];
  return [`${path}: ${name}: ${JSON.stringify(value)} is not known; ${removal.directive}: ${removal.value} is`];
}

function listProblems(
  value: unknown,
  shape: Shape & { readonly keys: readonly string[] },
  path: string,
): readonly string[] {
  // Of an object that removes the list all else is passed over.
  if (isRemoval(value)) return [];
  if (!Array.isArray(value)) return [`${path}: must be a list`];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    const key = itemKey(item, shape);
    if (key === undefined) problems.push(`${path}[${index}]: must be an object with ${shape.keys.join(" and ")}`);
    else {
      const itemPath = `${path}[${keyText(key)}]`;
      if (seen.has(key)) problems.push(`${itemPath}: is there twice`);
      seen.add(key);
      problems.push(...shapeProblems(item, shape.item ?? {}, itemPath));
    }
  }
  return problems;
}
