/** A consumer's time with a feed. */
export interface Membership {
  /** Events handed over to the feed's consumers since this one joined, until it left: what it must have been offered. */
  readonly expected: number;
  /** Ends it; calling it again is free. */
  leave(): void;
}
