import type { ListWatchDeps } from "../../lib/kube/list-watch.ts";
import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { RelayConfig } from "../config.ts";
import type { LiveSettings } from "./live-settings.ts";
import { watchSettingsConfigMap } from "./watch-config-map.ts";
import { watchSettingsFile } from "./watch-file.ts";

export interface WatchSettingsDeps {
  /** Undefined = there is no cluster. */
  readonly cluster: ListWatchDeps | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Feeds the settings from everywhere the command line says. When it resolves, what the file says is in force. */
export async function watchSettings(
  { configFile, settingsConfigMap }: Pick<RelayConfig, "configFile" | "settingsConfigMap">,
  settings: LiveSettings,
  { cluster, clock, log }: WatchSettingsDeps,
): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  if (configFile !== undefined) {
    opened.use(await watchSettingsFile(configFile, (text) => settings.set("file", text), { clock, log }));
  }
  if (cluster !== undefined && settingsConfigMap !== undefined) {
    opened.use(watchSettingsConfigMap(settingsConfigMap, cluster, (text) => settings.set("configMap", text)));
  }
  return opened.move();
}
