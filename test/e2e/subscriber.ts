/**
 * A subscriber of alerts that comes back whenever its stream ends, as a collector does; run inside the node's network.
 *
 *   node test/e2e/subscriber.ts HOST:PORT
 *
 * A line on stdin asks for a line on stdout: every subscription so far, as `SubscriptionReport[]`. Ends with stdin.
 */
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { Client, credentials, type StatusObject, status } from "@grpc/grpc-js";
import { rawStream } from "../../hack/agents/contract.ts";
import { Tally, type TallyReport } from "../../hack/check/tally.ts";

/** From the opening of a stream to its end. */
export interface SubscriptionReport extends Pick<TallyReport, "events" | "lost" | "garbage" | "sequences"> {
  /** Attempts that came to nothing before this one. */
  readonly failures: readonly string[];
  /** Since the last stream ended; 0 for the first. */
  readonly awayMs: number;
  /** How it ended; undefined: it has not. */
  readonly end: string | undefined;
}

/** Between two attempts. */
const retryMs = 100;

interface Subscription {
  readonly tally: Tally;
  readonly failures: readonly string[];
  readonly awayMs: number;
  end: string | undefined;
}

/** One stream, to its end. `opened` is called when the server has answered; not at all when it has not. */
function watchAlerts(client: Client, opened: () => void, received: (event: Buffer) => void): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = rawStream("alerts");
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { Filter: "all" });
  call.once("metadata", opened);
  call.on("data", received);
  // Followed by `status`, which tells the same.
  call.on("error", () => {});
  return new Promise((resolve) =>
    call.once("status", ({ code, details }: StatusObject) => resolve(`${status[code]}: ${details}`)),
  );
}

const [address = ""] = process.argv.slice(2);
const client = new Client(address, credentials.createInsecure(), {
  // Otherwise grpc-js waits a second before it dials again.
  "grpc.initial_reconnect_backoff_ms": retryMs,
  "grpc.min_reconnect_backoff_ms": retryMs,
  "grpc.max_reconnect_backoff_ms": 1_000,
  // Who goes without a word, as a pod whose network is taken down, is noticed.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 2_000,
});
const subscriptions: Subscription[] = [];
let failures: string[] = [];
let endedMs: number | undefined;

createInterface({ input: process.stdin })
  .on("line", () => {
    const reports = subscriptions.map(({ tally, ...rest }): SubscriptionReport => {
      const { events, lost, garbage, sequences } = tally.report();
      return { events, lost, garbage, sequences, ...rest };
    });
    process.stdout.write(`${JSON.stringify(reports)}\n`);
  })
  .on("close", () => process.exit());

for (;;) {
  const stream: { current: Subscription | undefined } = { current: undefined };
  const opened = () => {
    const awayMs = endedMs === undefined ? 0 : performance.now() - endedMs;
    stream.current = { tally: new Tally(), failures, awayMs, end: undefined };
    subscriptions.push(stream.current);
    failures = [];
  };
  const end = await watchAlerts(client, opened, (event) => stream.current?.tally.add(event, "alerts"));
  if (stream.current === undefined) failures.push(end);
  else {
    endedMs = performance.now();
    stream.current.end = end;
  }
  await pause(retryMs);
}
