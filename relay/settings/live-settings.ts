import type { Log } from "../../lib/process/log.ts";
import { parseSettings, type Settings, settingsHash } from "./settings.ts";

/** Where settings come from, the one that wins first: the mounted file lags behind the ConfigMap it is made from by up to a minute. */
const precedence = ["configMap", "file"] as const;

export type SettingsSource = (typeof precedence)[number];

export interface LiveSettingsDeps {
  readonly log: Log;
  /** Called when what is effective has changed, not at the start. */
  readonly onChange: (settings: Settings) => void;
}

/** The settings in force, from the best source that has any. A source that cannot be read keeps its last good word. */
export class LiveSettings {
  readonly #base: Settings;
  readonly #deps: LiveSettingsDeps;
  readonly #bySource = new Map<SettingsSource, Settings>();
  readonly #errors = new Map<SettingsSource, readonly string[]>();
  #current: Settings;

  constructor(base: Settings, deps: LiveSettingsDeps) {
    this.#base = base;
    this.#deps = deps;
    this.#current = base;
  }

  get current(): Settings {
    return this.#current;
  }

  /** Of what is in force, as the log and `/statusz` say it. */
  get hash(): string {
    return settingsHash(this.#current);
  }

  /** What is wrong with the newest text of each source: empty = nothing. */
  get errors(): readonly string[] {
    return [...this.#errors].flatMap(([source, errors]) => errors.map((error) => `${source}: ${error}`));
  }

  /** Takes the newest text of a source; undefined = the source is gone or cannot be trusted any more. */
  set(source: SettingsSource, text: string | undefined): void {
    this.#errors.delete(source);
    if (text === undefined) this.#bySource.delete(source);
    else {
      const parsed = parseSettings(text, this.#base);
      if (parsed.kind === "settings") this.#bySource.set(source, parsed.settings);
      else {
        this.#errors.set(source, parsed.errors);
        this.#deps.log.error("Settings refused: the last good ones stay in force", { source, errors: parsed.errors });
      }
    }
    const best = precedence.find((one) => this.#bySource.has(one));
    const next = (best === undefined ? undefined : this.#bySource.get(best)) ?? this.#base;
    if (JSON.stringify(next) === JSON.stringify(this.#current)) return;
    this.#current = next;
    this.#deps.log.info("Settings changed", { source: best ?? "start", hash: this.hash, settings: next });
    this.#deps.onChange(next);
  }
}
