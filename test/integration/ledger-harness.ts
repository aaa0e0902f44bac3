import type { StreamEndCounts } from "../../relay/ledger/stream-end.ts";
import type { RelayFixture } from "./relay-harness.ts";

export type FeedName = "alerts" | "logs" | "messages";

/** What the ledger's tests read of `/statusz`. */
export interface LedgerStatus {
  readonly nodes: readonly {
    readonly agent: { readonly name: string };
    readonly state: { readonly kind: string; readonly sinceMs: number };
    readonly lastError?: { readonly message: string };
    readonly throttle: { readonly notices: number; readonly last?: Readonly<Record<string, unknown>> };
    readonly feeds: Readonly<
      Record<
        FeedName,
        {
          readonly isOpen: boolean;
          readonly events: number;
          readonly ends: StreamEndCounts;
          readonly lastEventMs?: number;
          readonly recentGaps: readonly {
            readonly fromMs: number;
            readonly toMs?: number;
            readonly reason: string;
            readonly lastEventMs?: number;
          }[];
        }
      >
    >;
  }[];
}

export async function readStatus({ relay }: RelayFixture): Promise<LedgerStatus> {
  const response = await fetch(`http://127.0.0.1:${relay.httpPort}/statusz`);
  return (await response.json()) as LedgerStatus;
}

/** The relay's own series and their values. */
export async function readMetrics({ relay }: RelayFixture): Promise<ReadonlyMap<string, number>> {
  const text = await readMetricsText(relay.httpPort);
  return new Map(
    text
      .split("\n")
      .filter((line) => line.startsWith("kubearmor_relay_"))
      .map((line): [string, number] => {
        const at = line.lastIndexOf(" ");
        return [line.slice("kubearmor_relay_".length, at), Number(line.slice(at + 1))];
      }),
  );
}

export async function readMetricsText(httpPort: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/metrics`);
  return response.text();
}
