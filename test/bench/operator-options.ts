import { parseArgs } from "node:util";

/** What the operator is measured for; each can be measured alone. */
export type Part = "load" | "failover" | "toggle";

export interface OperatorBenchOptions {
  readonly relays: number;
  readonly idleMs: number;
  readonly toggles: number;
  /** By SIGTERM, which are quick, and by kill -9, which take as long as a lease. */
  readonly terminations: number;
  readonly kills: number;
  readonly parts: ReadonlySet<Part>;
  readonly details: boolean;
}

export const operatorUsage = `node test/bench/operator.ts [options]

  --relays=N         relays from apply to settled (200)
  --idle-seconds=N   of rest, in which nothing may be written (300)
  --toggles=N        changes of spec.stdout against a relay's process (100)
  --terminations=N   failovers by SIGTERM (20)
  --kills=N          failovers by kill -9 (5)
  --only=LIST        of load, failover, toggle (all)
  --details          the requests, by kind`;

/** @throws Error that says what is wrong with the arguments */
export function readOperatorOptions(args: readonly string[]): OperatorBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      relays: { type: "string", default: "200" },
      "idle-seconds": { type: "string", default: "300" },
      toggles: { type: "string", default: "100" },
      terminations: { type: "string", default: "20" },
      kills: { type: "string", default: "5" },
      only: { type: "string", default: "load,failover,toggle" },
      details: { type: "boolean", default: false },
    },
  });
  const parts = values.only.split(",").map((text) => {
    if (text === "load" || text === "failover" || text === "toggle") return text;
    throw new RangeError(`Cannot measure '${text}': load, failover or toggle is wanted`);
  });
  return {
    relays: count(values.relays, "relays"),
    idleMs: count(values["idle-seconds"], "idle-seconds") * 1000,
    toggles: count(values.toggles, "toggles"),
    terminations: count(values.terminations, "terminations"),
    kills: count(values.kills, "kills"),
    parts: new Set(parts),
    details: values.details,
  };
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`Cannot read --${name}: current value is '${text}', a whole number above 0 is wanted`);
}
