/** The end of a switch that has a case for every kind; reached only by a value that its type does not allow. */
export function assertNever(value: never): never {
  throw new TypeError(`Cannot decide on ${JSON.stringify(value)}: its kind is unknown`);
}
