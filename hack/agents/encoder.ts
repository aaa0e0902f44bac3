import type { FeedName } from "./contract.ts";
import { encodeEvent } from "./contract.ts";
import { markKey } from "./mark.ts";
import type { Scene } from "./scenes.ts";

/**
 * An event, encoded but for its time and its mark. The pieces follow each other in the order of their field numbers, as
 * Go writes them: time (1, 2), `head`, mark, `tail`.
 */
export interface Template {
  /** All between time and mark; at its end tag and lengths of the field that holds the mark. */
  head(markLength: number): Buffer;
  readonly tail: Buffer;
}

const lengthDelimited = 2;
const messageText = tag(8, lengthDelimited);
const eventData = { alerts: tag(43, lengthDelimited), logs: tag(33, lengthDelimited) };
const mapKey = Buffer.concat([tag(1, lengthDelimited), varint(markKey.length), Buffer.from(markKey)]);
const mapValue = tag(2, lengthDelimited);

export function makeTemplate(feed: FeedName, scene: Scene): Template {
  if (feed === "messages") {
    const { Message, ...rest } = scene;
    const fields = encodeEvent(feed, rest);
    const text = Buffer.from(typeof Message === "string" ? Message : "");
    return {
      head: byLength((markLength) => [fields, messageText, varint(text.length + markLength), text]),
      tail: Buffer.alloc(0),
    };
  }
  // UserName is the only field with a higher number than EventData.
  const { UserName, ...rest } = scene;
  const fields = encodeEvent(feed, rest);
  return {
    head: byLength((markLength) => {
      const value = Buffer.concat([mapValue, varint(markLength)]);
      const entryLength = mapKey.length + value.length + markLength;
      return [fields, eventData[feed], varint(entryLength), mapKey, value];
    }),
    tail: UserName === undefined ? Buffer.alloc(0) : encodeEvent(feed, { UserName }),
  };
}

/** The first two fields of every event: Timestamp in seconds, UpdatedTime with microseconds. */
export function encodeTime(nowMs: number): Buffer {
  const updated = new Date(nowMs).toISOString().replace("Z", "000Z");
  return Buffer.concat([
    tag(1, 0),
    varint(Math.floor(nowMs / 1000)),
    tag(2, lengthDelimited),
    varint(updated.length),
    Buffer.from(updated),
  ]);
}

/** One event: a single allocation and two copies. `mark` is ASCII. */
export function fill(template: Template, time: Buffer, mark: string): Buffer {
  const { tail } = template;
  const head = template.head(mark.length);
  const event = Buffer.allocUnsafe(time.length + head.length + mark.length + tail.length);
  event.set(time);
  event.set(head, time.length);
  event.write(mark, time.length + head.length, "latin1");
  if (tail.length > 0) event.set(tail, event.length - tail.length);
  return event;
}

/** Marks of one agent have a handful of lengths: one more digit now and then. */
function byLength(make: (markLength: number) => readonly Buffer[]): (markLength: number) => Buffer {
  const made = new Map<number, Buffer>();
  return (markLength) => {
    let bytes = made.get(markLength);
    if (bytes === undefined) {
      bytes = Buffer.concat(make(markLength));
      made.set(markLength, bytes);
    }
    return bytes;
  };
}

function tag(fieldNumber: number, wireType: number): Buffer {
  return varint(fieldNumber * 8 + wireType);
}

/** Base-128, low groups first; division instead of shifts, because seconds since 1970 exceed 31 bits in 2038. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
