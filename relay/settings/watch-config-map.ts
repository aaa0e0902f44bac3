import { type ListWatch, type ListWatchDeps, startListWatch } from "../../lib/kube/list-watch.ts";
import { configMaps } from "../../lib/kube/resources.ts";
import { Store } from "../../lib/kube/store.ts";
import type { WatchFailure } from "../../lib/kube/types.ts";
import type { SettingsText } from "./live-settings.ts";

/** The key of the ConfigMap that holds the settings in YAML. */
export const settingsKey = "config.yaml";

export interface ConfigMapHandlers {
  readonly onRead: (said: SettingsText) => void;
  /** At every end of a watch that was not asked for, with its reason. */
  readonly onRestart?: ((reason: string) => void) | undefined;
}

/**
 * Reports the text of the settings in a ConfigMap now and after each change. It is gone while there is none, and while the
 * API refuses it: then what is known may be old, and a mounted file is better.
 */
export function watchSettingsConfigMap(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  deps: ListWatchDeps,
  { onRead, onRestart = () => {} }: ConfigMapHandlers,
): ListWatch {
  const store = new Store({});
  const report = () => {
    const text = textOf(store.list()[0]?.["data"]);
    onRead(text === undefined ? { kind: "gone" } : { kind: "text", text });
  };
  const watch = startListWatch(
    {
      resource: configMaps,
      scope: { namespace, fieldSelector: `metadata.name=${name}` },
      onChange: (change) => {
        if (store.apply(change).length > 0) report();
      },
      onState: (state) => {
        if (state.kind === "synced") report();
        else if (state.kind === "failing" && isRefused(state.reason)) onRead({ kind: "gone" });
      },
      onRestart,
    },
    deps,
  );
  watch.synced.catch(() => {
    // Ended before its first answer: there is nobody to tell.
  });
  return watch;
}

function isRefused(reason: WatchFailure): boolean {
  return reason === "forbidden" || reason === "unauthorized";
}

function textOf(data: unknown): string | undefined {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, settingsKey)) return undefined;
  const text = (data as Record<string, unknown>)[settingsKey];
  return typeof text === "string" ? text : undefined;
}
