/**
 * How grpc-go punishes clients that ping too often: PINGs closer together than five minutes are strikes, the third one
 * ends the connection; anything the server answered in between forgives. Source: gRPC keepalive guide and grpc-go's
 * EnforcementPolicy defaults (MinTime 5 min, two strikes), with KubeArmor's PermitWithoutStream.
 */
export interface PingPoliceOptions {
  readonly minIntervalMs: number;
  readonly maxStrikes: number;
}

export const agentPingPolicy: PingPoliceOptions = { minIntervalMs: 300_000, maxStrikes: 2 };

export class PingPolice {
  readonly #options: PingPoliceOptions;
  #lastPingMs = Number.NEGATIVE_INFINITY;
  #strikes = 0;
  #answered = false;

  constructor(options: PingPoliceOptions) {
    this.#options = options;
  }

  /** The server sent HEADERS or DATA. */
  answered(): void {
    this.#answered = true;
  }

  /** True: this PING is one too many. */
  ping(nowMs: number): boolean {
    const tooSoon = nowMs - this.#lastPingMs < this.#options.minIntervalMs;
    this.#lastPingMs = nowMs;
    if (this.#answered) {
      this.#answered = false;
      this.#strikes = 0;
      return false;
    }
    if (tooSoon) this.#strikes += 1;
    return this.#strikes > this.#options.maxStrikes;
  }
}
