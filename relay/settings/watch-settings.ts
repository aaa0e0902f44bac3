import type { ListWatchDeps } from "../../lib/kube/list-watch.ts";
import type { Clock } from "../../lib/process/clock.ts";
import type { Log } from "../../lib/process/log.ts";
import type { RelayConfig } from "../config.ts";
import type { LiveSettings, SettingsText } from "./live-settings.ts";
import { watchSettingsConfigMap } from "./watch-config-map.ts";
import { watchSettingsFile } from "./watch-file.ts";

export interface WatchSettingsDeps {
  /** Undefined = there is no cluster. */
  readonly cluster: ListWatchDeps | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** At every end of a watch that was not asked for, with its reason. */
  readonly onRestart?: ((reason: string) => void) | undefined;
}

/** Feeds the settings from everywhere the command line says. When it resolves, what the file says is in force. */
export async function watchSettings(
  { configFile, settingsConfigMap }: Pick<RelayConfig, "configFile" | "settingsConfigMap">,
  settings: LiveSettings,
  { cluster, clock, log, onRestart }: WatchSettingsDeps,
): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  if (configFile !== undefined) {
    opened.use(await watchSettingsFile(configFile, (read) => settings.set("file", read), { clock, log }));
  }
  if (cluster !== undefined && settingsConfigMap !== undefined) {
    const onRead = (said: SettingsText) => settings.set("configMap", said);
    opened.use(watchSettingsConfigMap(settingsConfigMap, cluster, { onRead, onRestart }));
  }
  return opened.move();
}
