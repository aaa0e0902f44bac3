import { isExpired } from "./errors.ts";
import type { KubeObject } from "./types.ts";

/** As client-go: enough to be few requests, little enough to be decoded without a long pause. */
const pageSize = 500;

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Empty on the last page. */
  readonly continue: string;
}

export interface ListQuery {
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "NotOlderThan" | "Exact";
  readonly limit?: number;
  readonly continue?: string;
}

/**
 * All pages of a list. When its snapshot expires between two pages, the list is read again as a whole: a restart page
 * by page might never end on a busy server.
 */
export async function listAllPages(
  fetchPage: (query: ListQuery) => Promise<ListPage>,
  first: Pick<ListQuery, "resourceVersion" | "resourceVersionMatch">,
): Promise<Omit<ListPage, "continue">> {
  let page = await fetchPage({ ...first, limit: pageSize });
  const items = [...page.items];
  while (page.continue !== "") {
    try {
      page = await fetchPage({ limit: pageSize, continue: page.continue });
    } catch (error) {
      if (!isExpired(error)) throw error;
      return await fetchPage({});
    }
    items.push(...page.items);
  }
  return { items, resourceVersion: page.resourceVersion };
}
