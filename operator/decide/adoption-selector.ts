import type { KubeObject } from "../../lib/kube/types.ts";

export type Labels = Readonly<Record<string, string>>;

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/ */
export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly Expression[];
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Of an object that has pods. */
export function selectorOf(object: KubeObject): LabelSelector {
  return (object["spec"] as { readonly selector?: LabelSelector } | undefined)?.selector ?? {};
}

/** What of a selector these labels do not meet, as `kubectl` writes it. */
export function unmet({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): readonly string[] {
  return [
    ...Object.entries(matchLabels)
      .filter(([key, value]) => labels[key] !== value)
      .map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.filter((expression) => !holds(expression, labels)).map(textOf),
  ];
}

function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      // One of a newer API: whether the labels meet it is not known.
      return false;
  }
}

function textOf({ key, operator, values = [] }: Expression): string {
  switch (operator) {
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return `${key} ${operator.toLowerCase()} (${values.join(",")})`;
  }
}
