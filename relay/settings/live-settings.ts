import { errorText, type Log } from "../../lib/process/log.ts";
import { textHash } from "../../lib/process/text-hash.ts";
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
  /** Called after every word of a source, when what it says is in force, or is refused. */
  readonly onWord?: (source: SettingsSource) => void;
}

/** A text that was taken. */
interface Taken {
  readonly settings: Settings;
  readonly textHash: string;
}

/** The settings in force, from the best source that has any. A source that cannot be read keeps its last good word. */
export class LiveSettings {
  readonly #base: Settings;
  readonly #deps: LiveSettingsDeps;
  readonly #bySource = new Map<SettingsSource, Taken>();
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

  /** Of the text in force; undefined while none is. */
  get textHash(): string | undefined {
    return this.#taken?.textHash;
  }

  /** What is wrong with the newest text of the source that decides: empty = nothing. */
  get refused(): readonly string[] {
    const source = precedence.find((one) => this.#bySource.has(one) || this.#errors.has(one));
    return source === undefined ? [] : (this.#errors.get(source) ?? []);
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
        if (parsed.kind === "settings")
          this.#bySource.set(source, { settings: parsed.settings, textHash: textHash(said.text) });
        else this.#refuse(source, parsed.errors);
      }
    }
    this.#decide();
    this.#deps.onWord?.(source);
  }

  #decide(): void {
    const next = this.#taken?.settings ?? this.#base;
    if (JSON.stringify(next) === JSON.stringify(this.#current)) return;
    this.#current = next;
    this.#deps.log.info("Settings changed", { source: this.#best ?? "start", hash: this.hash, settings: next });
    this.#deps.onChange(next);
  }

  /** The source that is in force. */
  get #best(): SettingsSource | undefined {
    return precedence.find((one) => this.#bySource.has(one));
  }

  get #taken(): Taken | undefined {
    return this.#best === undefined ? undefined : this.#bySource.get(this.#best);
  }

  #refuse(source: SettingsSource, errors: readonly string[]): void {
    this.#errors.set(source, errors);
    this.#deps.log.error("Settings refused: the last good ones stay in force", { source, errors });
  }
}
