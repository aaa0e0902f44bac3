import { errorText, type Log } from "../../lib/process/log.ts";
import { parseSettings, type Settings, settingsHash } from "./settings.ts";

/** Where settings come from, the one that wins first: the mounted file lags behind the ConfigMap it is made from by up to a minute. */
const precedence = ["configMap", "file"] as const;

export type SettingsSource = (typeof precedence)[number];

/** What a source says: `gone` = there is none, or it cannot be trusted any more; `failed` = it is there and cannot be read. */
export type SettingsText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly error: Error };

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

  /** Takes the newest word of a source. */
  set(source: SettingsSource, said: SettingsText): void {
    this.#errors.delete(source);
    switch (said.kind) {
      case "gone":
        this.#bySource.delete(source);
        break;
      case "failed":
        this.#refuse(source, [errorText(said.error)]);
        break;
      case "text": {
        const parsed = parseSettings(said.text, this.#base);
        if (parsed.kind === "settings") this.#bySource.set(source, parsed.settings);
        else this.#refuse(source, parsed.errors);
      }
    }
    const best = precedence.find((one) => this.#bySource.has(one));
    const next = (best === undefined ? undefined : this.#bySource.get(best)) ?? this.#base;
    if (JSON.stringify(next) === JSON.stringify(this.#current)) return;
    this.#current = next;
    this.#deps.log.info("Settings changed", { source: best ?? "start", hash: this.hash, settings: next });
    this.#deps.onChange(next);
  }
  #refuse(source: SettingsSource, errors: readonly string[]): void {
    this.#errors.set(source, errors);
    this.#deps.log.error("Settings refused: the last good ones stay in force", { source, errors });
  }
}
