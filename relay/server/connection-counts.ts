/**
 * Why a connection ended. `client`: it closed, or went away; `handshake`: it never spoke HTTP/2; `silent`: nothing came
 * for too long after a ping; `protocol`: it broke HTTP/2's rules; `pings`, `resets`, `settings`, `bytes`: it did too much
 * of that; `limit`: there were too many connections; `drained`: the server ended it.
 */
export const connectionEnds = [
  "client",
  "handshake",
  "silent",
  "protocol",
  "pings",
  "resets",
  "settings",
  "bytes",
  "limit",
  "drained",
] as const;
export type ConnectionEnd = (typeof connectionEnds)[number];

/** `accepted = open + Σ ended` at any time. */
export interface ConnectionTotals {
  readonly accepted: number;
  readonly open: number;
  readonly ended: Readonly<Record<ConnectionEnd, number>>;
}

/** What became of a server's connections. */
export class ConnectionCounts {
  readonly #ended = new Map<ConnectionEnd, number>();
  #accepted = 0;
  #open = 0;

  opened(): void {
    this.#accepted += 1;
    this.#open += 1;
  }

  ended(end: ConnectionEnd): void {
    this.#open -= 1;
    this.#add(end);
  }

  /** One that was closed before it was anything. */
  refused(): void {
    this.#accepted += 1;
    this.#add("limit");
  }

  totals(): ConnectionTotals {
    const ended = Object.fromEntries(connectionEnds.map((end) => [end, this.#ended.get(end) ?? 0]));
    return { accepted: this.#accepted, open: this.#open, ended: ended as Record<ConnectionEnd, number> };
  }

  #add(end: ConnectionEnd): void {
    this.#ended.set(end, (this.#ended.get(end) ?? 0) + 1);
  }
}
