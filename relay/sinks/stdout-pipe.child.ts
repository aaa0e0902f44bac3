/** The program that stdout-pipe.test.ts runs: a sink on its own stdout, driven by its parent. */
import { systemClock } from "../../lib/process/clock.ts";
import { silentLog } from "../../lib/process/log.ts";
import { fakeBatch } from "../hub/fake-batch.ts";
import { encodeFrame } from "../wire/frame-cutter.ts";
import { openWriter } from "./open-writer.ts";
import { StdoutSink } from "./stdout.ts";

/** `offer`: that many numbered messages, over many turns of the event loop; `close`: within that time, then end. */
export type ToChild =
  | { readonly kind: "offer"; readonly batches: number; readonly eventsPerBatch: number }
  | { readonly kind: "close"; readonly withinMs: number };

const sink = new StdoutSink(
  { maxQueueBytes: 1 << 20 },
  { writer: openWriter(1, { clock: systemClock, log: silentLog }), clock: systemClock, log: silentLog },
);
let sent = 0;

function offer(events: number): void {
  const frames = Array.from({ length: events }, () => {
    const text = Buffer.from(`event ${sent++} ${"x".repeat(70)}`);
    return encodeFrame(Buffer.concat([Buffer.from([0x42, text.length]), text]));
  });
  sink.offer(fakeBatch("messages", Buffer.concat(frames), events));
}

process.on("message", (message: ToChild) => {
  if (message.kind === "close") {
    sink.close(AbortSignal.timeout(message.withinMs)).then(() => {
      process.send?.(sink.counts("messages"), () => process.disconnect());
    }, assertNever);
    return;
  }
  let left = message.batches;
  const next = () => {
    if (left-- === 0) {
      process.send?.(sink.counts("messages"));
      return;
    }
    offer(message.eventsPerBatch);
    setImmediate(next);
  };
  next();
});

function assertNever(error: unknown): void {
  throw new Error("Cannot close the sink", { cause: error });
}
