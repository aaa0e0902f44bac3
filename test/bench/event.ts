/** The event a load sends: encoded, with the place of the text that the load numbers. */
export interface NumberedEvent {
  readonly wire: Buffer;
  /** Where the 64 digits of ContainerID begin. Every relay forwards them unchanged, and at the same place. */
  readonly at: number;
}

const containerIdField = 7;
const containerIdLength = 64;

/** @throws {Error} if the event holds no container id of 64 characters */
export function numberedEvent(wire: Buffer): NumberedEvent {
  for (let offset = 0; offset < wire.length; ) {
    const tag = readVarint(wire, offset);
    if ((tag.value & 7) !== 2) {
      offset = (tag.value & 7) === 0 ? readVarint(wire, tag.end).end : wire.length;
      continue;
    }
    const length = readVarint(wire, tag.end);
    if (tag.value >> 3 === containerIdField && length.value === containerIdLength) return { wire, at: length.end };
    offset = length.end + length.value;
  }
  throw new Error(
    `Cannot number an event of ${wire.length} bytes: a ContainerID of ${containerIdLength} characters is wanted`,
  );
}

/** The wire bytes of one of the golden events (JSON lines with `name` and `wire` in base64). */
export function fixtureWire(jsonLines: string, name: string): Buffer {
  for (const line of jsonLines.split("\n")) {
    if (line === "") continue;
    const fixture = JSON.parse(line) as { readonly name: string; readonly wire: string };
    if (fixture.name === name) return Buffer.from(fixture.wire, "base64");
  }
  throw new Error(`Cannot find the event '${name}' in the fixtures`);
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let end = start, scale = 1; ; end += 1, scale *= 128) {
    const byte = bytes[end];
    if (byte === undefined) throw new Error(`Cannot read a varint at ${start}: the event ends`);
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: end + 1 };
  }
}
