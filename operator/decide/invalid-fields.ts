import type { ApiError } from "../../lib/kube/errors.ts";

/**
 * Which fields an invalid object's trouble lies in: the parents of those that the server names, as it may be a sibling that
 * is one too many. Names from the root, without the items of lists.
 */
export function invalidFields({ details: { causes = [] } }: ApiError): readonly (readonly string[])[] {
  return causes.flatMap(({ field = "" }) => {
    const names = field
      .replaceAll(/\[[^\]]*\]/g, "")
      .split(".")
      .filter((name) => name !== "");
    // Labels, annotations and owners of one object do not depend on each other.
    return names.length === 0 || names[0] === "metadata" ? [] : [names.slice(0, Math.max(1, names.length - 1))];
  });
}
