import { type FeedId, feeds } from "../../relay/feeds.ts";
import { encodeFrame, framePrefixBytes } from "../../relay/wire/frame-cutter.ts";
import type { Judge } from "./judge.ts";

/**
 * `unreadable`: no protobuf message, so that it is forwarded, but cannot be printed; `notice`: of alerts that are throttled;
 * `decoy`: has the word that notices are found by, and is none.
 */
export type EventKind = "plain" | "unreadable" | "notice" | "decoy";

/** One feed of one life of an agent: within it, the order of events is the agent's own. */
export interface Source {
  readonly ordinal: number;
  readonly agent: string;
  readonly feed: FeedId;
  sent: number;
}

/** An event that an agent sent. */
export interface SentEvent {
  readonly ordinal: number;
  readonly source: Source;
  /** Its place among the events of its source. */
  readonly sequence: number;
  readonly frame: Buffer;
  readonly kind: EventKind;
  /** Its place among the events of its feed that reached the relay; undefined = it has not. */
  arrival: number | undefined;
}

/** The text field that carries an event's ordinal, by its tag: Message of alerts and messages, Data of logs. */
const textTags: Readonly<Record<FeedId, readonly number[]>> = {
  alerts: [0x82, 0x01],
  logs: [0x8a, 0x01],
  messages: [0x42],
};
/** The text's length is a varint of this size, whatever its value, so that the text begins at a fixed place. */
const lengthBytes = 3;
const ordinalDigits = 8;

/** Every event there was, and which of them reached the relay, in what order. */
export class EventBook {
  readonly #judge: Judge;
  readonly #events: SentEvent[] = [];
  readonly #arrivals = new Map<FeedId, { events: number; bytes: number; lastMs: number }>(
    feeds.map(({ id }) => [id, { events: 0, bytes: 0, lastMs: Number.NEGATIVE_INFINITY }]),
  );
  #sources = 0;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  newSource(agent: string, feed: FeedId): Source {
    return { ordinal: this.#sources++, agent, feed, sent: 0 };
  }

  newEvent(source: Source, textBytes: number, kind: EventKind): SentEvent {
    const ordinal = this.#events.length;
    const event = {
      ordinal,
      source,
      sequence: source.sent++,
      frame: encodeFrame(encodeEvent(source.feed, ordinal, Math.max(ordinalDigits, textBytes), kind)),
      kind,
      arrival: undefined,
    };
    this.#events.push(event);
    return event;
  }

  arrived(feed: FeedId): { readonly events: number; readonly bytes: number; readonly lastMs: number } {
    return this.#tally(feed);
  }

  /** The last byte of the event has reached the relay. */
  arrive(event: SentEvent, nowMs: number): void {
    const tally = this.#tally(event.source.feed);
    if (event.arrival !== undefined)
      this.#judge.fail("one-stream", `event ${event.ordinal} of ${event.source.agent} reached the relay twice`);
    event.arrival = tally.events;
    tally.events += 1;
    tally.bytes += event.frame.length;
    tally.lastMs = nowMs;
  }

  /** The events in a run of frames; what is none, or is not as its agent sent it, is a violation. */
  read(feed: FeedId, run: Buffer, reader: string): readonly SentEvent[] {
    const events: SentEvent[] = [];
    let position = 0;
    while (position < run.length) {
      const end = position + framePrefixBytes + run.readUInt32BE(position + 1);
      const from = position + framePrefixBytes + textTags[feed].length + lengthBytes;
      const event = this.#events[Number(run.toString("latin1", from, from + ordinalDigits))];
      if (event === undefined || event.source.feed !== feed || event.frame.compare(run, position, end) !== 0) {
        this.#judge.fail("bytes", `${reader} got ${feed} bytes at ${position} of ${run.length} that no agent sent`);
        break;
      }
      events.push(event);
      position = end;
    }
    return events;
  }

  /** The event whose text begins like this. */
  byText(text: string): SentEvent | undefined {
    return this.#events[Number(text.slice(0, ordinalDigits))];
  }

  #tally(feed: FeedId): { events: number; bytes: number; lastMs: number } {
    const tally = this.#arrivals.get(feed);
    if (tally === undefined) throw new TypeError(`Cannot find feed "${feed}" in the feed table`);
    return tally;
  }
}

/** Bytes after the text. */
const trailers: Readonly<Record<EventKind, Buffer>> = {
  plain: Buffer.alloc(0),
  // Wire type 7 does not exist.
  unreadable: Buffer.of(0x07),
  notice: Buffer.concat([textField(17, "SystemEvent"), textField(19, "AlertThreshold")]),
  decoy: Buffer.concat([textField(17, "MatchedPolicy"), textField(19, "AlertThreshold")]),
};

function encodeEvent(feed: FeedId, ordinal: number, textBytes: number, kind: EventKind): Buffer {
  const tag = textTags[feed];
  const message = Buffer.alloc(tag.length + lengthBytes + textBytes, 0x61 + (ordinal % 26));
  message.set(tag, 0);
  message.set([(textBytes & 0x7f) | 0x80, ((textBytes >> 7) & 0x7f) | 0x80, textBytes >> 14], tag.length);
  message.write(String(ordinal).padStart(ordinalDigits, "0"), tag.length + lengthBytes);
  return kind === "plain" ? message : Buffer.concat([message, trailers[kind]]);
}

/** A text of less than 128 bytes in a field whose number has a tag of two bytes. */
function textField(number: number, text: string): Buffer {
  return Buffer.concat([Buffer.of(((number << 3) & 0x7f) | 0x82, number >> 4, text.length), Buffer.from(text)]);
}
