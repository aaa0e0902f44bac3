import { FieldCursor, wireType } from "./protobuf.ts";

const filterField = 1;

/** The filter of a `RequestMessage { string Filter = 1 }`: empty when it is not set, undefined when the bytes are no such message. */
export function readFilter(request: Buffer): string | undefined {
  const cursor = new FieldCursor();
  cursor.reset(request, 0, request.length);
  let filter = "";
  while (cursor.next()) {
    // The last value wins. https://protobuf.dev/programming-guides/encoding/#last-one-wins
    if (cursor.number === filterField && cursor.type === wireType.bytes)
      filter = request.toString("utf8", cursor.start, cursor.end);
  }
  return cursor.malformed ? undefined : filter;
}
