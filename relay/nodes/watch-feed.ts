import type { Feed } from "../feeds.ts";
import type { ClientConnection } from "../http2/client-connection.ts";
import { encodeFrame, FrameCutter, FramingError } from "../wire/frame-cutter.ts";
import { type CallTarget, callFields, endOfResponse, endOfStream, endOfTrailers, type StreamEnd } from "./grpc-call.ts";
import type { StreamEvents } from "./link.ts";

/** 4 MiB: what gRPC clients take by default, and so the largest event that upstream relays and agents ever passed. */
const maxEventBytes = 4 * 1024 * 1024;

/**
 * Opens one server stream on an agent and hands on its frames until it ends; a stream that cannot be opened has ended, too.
 * Aborting `signal` cancels it. Never rejects.
 */
export function watchFeed(
  connection: ClientConnection,
  target: CallTarget,
  feed: Feed,
  { onRun, onAnswer }: StreamEvents,
  signal: AbortSignal,
): Promise<StreamEnd> {
  return new Promise((resolve) => {
    const { refusal } = connection;
    if (refusal !== undefined) {
      resolve({ kind: "refused", code: undefined, message: refusal });
      return;
    }
    const cutter = new FrameCutter({ maxMessageBytes: maxEventBytes }, onRun);
    let end: StreamEnd | undefined;
    let isAnswered = false;
    const cancel = () => connection.cancel(stream);
    const stream = connection.request(callFields(target, feed.path), encodeFrame(encodeFilter(feed.agentFilter)), {
      onHead(head, isEnd) {
        end = endOfResponse(head);
        if (end === undefined) {
          isAnswered = true;
          onAnswer();
        } else if (!isEnd) {
          // What comes behind it are no events.
          cancel();
        }
      },
      onData(bytes) {
        end = framingFault(() => cutter.push(bytes));
        if (end !== undefined) cancel();
      },
      onTrailers(trailers) {
        end = endOfTrailers(trailers);
      },
      onClose(close) {
        signal.removeEventListener("abort", cancel);
        if (close.kind === "complete") end ??= framingFault(() => cutter.end());
        end ??= endOfStream(close);
        // What was answered was served: an agent that says otherwise on its way out must not hide that events are missing.
        if (isAnswered && end.kind === "refused") end = { kind: "broken", message: end.message };
        resolve(end);
      },
    });
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
  });
}

/** The end of a stream whose bytes are no frames; undefined = they are. */
function framingFault(read: () => void): StreamEnd | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { kind: "framing", fault: error.fault, message: error.message };
  }
}

/** RequestMessage { string Filter = 1 } */
function encodeFilter(filter: string): Buffer {
  const text = Buffer.from(filter, "utf8");
  return Buffer.concat([Buffer.of(0x0a, text.length), text]);
}
