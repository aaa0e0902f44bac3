import { parseQuantity } from "../../lib/kube/quantity.ts";

interface Range {
  readonly min: number;
  readonly max: number;
}

const billion = 1_000_000_000n;
const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const namespacePattern = new RegExp(`^${label}$`);
const labelPrefix = String.raw`(?![^/]{254})${label}(\.${label})*/`;
const labelName = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
const labelKey = `(${labelPrefix})?${labelName}`;
const labelValue = `(${labelName})?`;
const requirement = [
  `!?${labelKey}`,
  `${labelKey} *(=|==|!=) *${labelValue}`,
  String.raw`${labelKey} +(in|notin) +\((?! *\)) *${labelValue}( *, *${labelValue})* *\)`,
].join("|");
const selectorPattern = new RegExp(String.raw`^ *(${requirement})( *, *(${requirement}))* *$`);

/**
 * Reads the fields of one map of the settings and notes everything that is wrong with them. A field that is absent or null
 * is undefined, and so is a wrong one.
 */
export class SettingsReader {
  readonly #fields = new Map<string, unknown>();
  readonly #path: string;
  readonly #errors: string[];
  readonly #known = new Set<string>();

  constructor(value: unknown, path: string, errors: string[]) {
    this.#path = path;
    this.#errors = errors;
    if (value === null || value === undefined) return;
    if (typeof value === "object" && !Array.isArray(value)) this.#fields = new Map(Object.entries(value));
    else
      errors.push(`${path === "" ? "Settings are" : `Setting "${path}" is`} ${JSON.stringify(value)}, wanted: a map`);
  }

  section(name: string): SettingsReader {
    return new SettingsReader(this.#take(name), this.#pathOf(name), this.#errors);
  }

  boolean(name: string): boolean | undefined {
    return this.#read(name, "true or false", (value) => (typeof value === "boolean" ? value : undefined));
  }

  integer(name: string, { min, max }: Range): number | undefined {
    return this.#read(name, `a whole number from ${min} to ${max}`, (value) =>
      typeof value === "number" && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
    );
  }

  /** A number, or a quantity as `64Mi`. */
  bytes(name: string, { min, max }: Range): number | undefined {
    return this.#read(name, `bytes from ${min} to ${max}, as a number or as 64Mi`, (value) => {
      if (typeof value !== "number" && typeof value !== "string") return undefined;
      const billionths = parseQuantity(value);
      if (billionths === undefined || billionths % billion !== 0n) return undefined;
      const bytes = Number(billionths / billion);
      return bytes >= min && bytes <= max ? bytes : undefined;
    });
  }

  /** What fits into an event as it is: text of one line. The CRD has the same pattern. */
  name(name: string): string | undefined {
    return this.#read(name, "text of at most 253 printable characters", (value) =>
      typeof value === "string" && /^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]{0,253}$/u.test(value) ? value : undefined,
    );
  }

  oneOf<T extends string>(name: string, values: readonly T[], isOne: (text: string) => text is T): T | undefined {
    return this.#read(name, values.join(", "), (value) =>
      typeof value === "string" && isOne(value) ? value : undefined,
    );
  }

  namespaces(name: string): readonly string[] | undefined {
    return this.#read(name, "a list of names of namespaces", (value) =>
      Array.isArray(value) && value.every(isNamespace) ? sortedNamespaces(value) : undefined,
    );
  }

  selector(name: string): string | undefined {
    return this.#read(name, "a label selector as key=value,…", (value) =>
      typeof value === "string" && isSelector(value) ? value : undefined,
    );
  }

  /** To be called last. */
  refuseUnread(): void {
    for (const name of this.#fields.keys()) {
      if (this.#known.has(name)) continue;
      const known = [...this.#known].join(", ");
      this.#errors.push(`Setting "${this.#pathOf(name)}" is not known, wanted: ${known}`);
    }
  }

  #read<T>(name: string, wanted: string, parse: (value: unknown) => T | undefined): T | undefined {
    const value = this.#take(name);
    if (value === null || value === undefined) return undefined;
    const parsed = parse(value);
    if (parsed === undefined) {
      this.#errors.push(`Setting "${this.#pathOf(name)}" is ${JSON.stringify(value)}, wanted: ${wanted}`);
    }
    return parsed;
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.#fields.get(name);
  }

  #pathOf(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}

export function isNamespace(value: unknown): value is string {
  return typeof value === "string" && value.length <= 63 && namespacePattern.test(value);
}

/** Each once, in one order, so that another order is no change. */
export function sortedNamespaces(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
export function isSelector(text: string): boolean {
  return selectorPattern.test(text);
}
