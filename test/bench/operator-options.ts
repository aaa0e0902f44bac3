import { parseArgs } from "node:util";

/** What the operator is measured for; each can be measured alone. */
export type Part = "load" | "failover" | "toggle";

export interface OperatorBenchOptions {
  readonly relays: number;
  readonly idleMs: number;
  readonly toggles: number;
  /** Of each kind. */
  readonly failovers: number;
  readonly parts: ReadonlySet<Part>;
  readonly details: boolean;
}

export const operatorUsage = `node test/bench/operator.ts [options]

  --relays=N         relays from apply to settled (200)
  --idle-seconds=N   of rest, in which nothing may be written (300)
  --toggles=N        changes of spec.stdout against a relay's process (100)
  --failovers=N      by SIGTERM, and as many by kill -9 (5)
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
      failovers: { type: "string", default: "5" },
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
    failovers: count(values.failovers, "failovers"),
    parts: new Set(parts),
    details: values.details,
  };
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`Cannot read --${name}: current value is '${text}', a whole number above 0 is wanted`);
}
