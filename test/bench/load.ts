import { createInterface } from "node:readline";
import { type Child, type Environment, type Placement, startChild } from "./child.ts";
import type { NumberedEvent } from "./event.ts";
import type { Row } from "./rows.ts";

/** What the load program counts (test/bench/load/main.go): totals since its start, latencies since the last mark. */
export interface Counters {
  readonly atNs: number;
  readonly cpuNs: number;
  readonly created: number;
  /** Events made more than 2 ms after their time: the load had no CPU left. */
  readonly late: number;
  readonly maxLateNs: number;
  readonly sent: number;
  readonly agentsWatched: number;
  readonly agentStreams: number;
  /** By an agent's full queue of 1,000. */
  readonly agentDropped: number;
  /** Queued at an agent when its subscriber went away. */
  readonly agentCut: number;
  readonly unheard: number;
  readonly keepaliveFailures: number;
  readonly delivered: number;
  /** Numbers that readers passed over, incl. those agents dropped. */
  readonly missing: number;
  /** Made but not seen by a reader, at the end of the sequence. */
  readonly behind: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly foreign: number;
  readonly ended: readonly string[];
  readonly samples: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
  /** Delivered to subscribers that are slow on purpose; what they miss is in no other count. */
  readonly apart: number;
  /** From the agents' return after `down` to the first event since; 0 = none yet. */
  readonly backNs: number;
}

/** How a reader takes events: `slow` a little every second, `stalled` none after the first few. */
export type Pace = "full" | "slow" | "stalled";

export interface LoadOptions {
  readonly binary: string;
  readonly within: (command: readonly string[]) => readonly string[];
  readonly placement: Placement;
  readonly env: Environment;
  readonly agents: readonly string[];
  readonly event: NumberedEvent;
  readonly path: string;
  readonly filter: string;
  readonly tickUs: number;
}

/** The running load program: agents that listen, later readers, later events. */
export class Load implements AsyncDisposable {
  readonly #child: Child;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: Child) {
    this.#child = child;
    const { stdout } = child.process;
    if (stdout === null) throw new TypeError("Cannot read the load's answers: a pipe is wanted");
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  static async start(options: LoadOptions): Promise<Load> {
    const child = startChild({
      name: "load",
      command: options.within([
        options.binary,
        `-agents=${options.agents.join(",")}`,
        `-event=${options.event.wire.toString("hex")}`,
        `-at=${options.event.at}`,
        `-path=${options.path}`,
        `-filter=${options.filter}`,
        `-tick=${options.tickUs}us`,
      ]),
      placement: options.placement,
      env: { ...options.env, GODEBUG: "asyncpreemptoff=1" },
      stdin: "pipe",
      stdout: "pipe",
    });
    const load = new Load(child);
    try {
      await load.#answer();
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
    return load;
  }

  subscribe(pace: Pace, readers: number, addresses: readonly string[]): Promise<Counters> {
    return this.#ask(`subscribe ${pace} ${readers} ${addresses.join(" ")}`);
  }

  /** Reads JSON lines from a named pipe. */
  readLines(pipe: string): Promise<Counters> {
    return this.#ask(`lines ${pipe}`);
  }

  /** The agents' listeners and connections vanish for so long. */
  down(forMs: number): Promise<Counters> {
    return this.#ask(`down ${forMs}`);
  }

  /** Events a second from now on; 0 stops. */
  setRate(rate: Row["rate"]): Promise<Counters> {
    return this.#ask(`rate ${rate}`);
  }

  /** So many events at that rate, then none. */
  burst(events: number, rate: Row["rate"]): Promise<Counters> {
    return this.#ask(`burst ${events} ${rate}`);
  }

  state(): Promise<Counters> {
    return this.#ask("state");
  }

  /** The counters; latencies start anew. */
  mark(): Promise<Counters> {
    return this.#ask("mark");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  #ask(command: string): Promise<Counters> {
    this.#child.process.stdin?.write(`${command}\n`);
    return this.#answer();
  }

  async #answer(): Promise<Counters> {
    const line = await Promise.race([this.#answers.next(), this.#child.failed]);
    // Without a line the process is gone, and `failed` says why.
    if (line.done === true) return this.#child.failed;
    return JSON.parse(line.value) as Counters;
  }
}
