/** An object of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `{ [name]: value }`, or nothing when the value is empty: the server drops empty lists, maps and texts. */
export function optional(name: string, value: object | string | undefined): Record<string, unknown> {
  return value === undefined || Object.keys(value).length === 0 ? {} : { [name]: value };
}
