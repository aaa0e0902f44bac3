import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "./command.ts";
import { findGo, judgeGo, parseGoDirective } from "./go.ts";
import { withLock } from "./lock.ts";
import { buildKey, type BuildPlan, buildPlan, readInputs } from "./plan.ts";
import { identify, isAlive } from "./processes.ts";
import type { Progress } from "./progress.ts";

const ROOT = import.meta.dirname;

/** The folder with the testbed's programs, built now if the cache does not have them. */
export async function ensurePrograms(cache: string, progress: Progress): Promise<string> {
  const plan = buildPlan(process.platform, process.arch === "x64" ? "amd64" : process.arch);
  const home = join(cache, "testbed");
  const entry = join(home, buildKey(plan, readInputs(ROOT, plan)));
  const bin = join(entry, "bin");
  if (existsSync(bin)) return bin;
  const self = identify(process.pid);
  if (self === undefined) throw new Error(`Cannot find this process, ${process.pid}, in the process table`);
  const lockDeps = {
    self,
    isAlive,
    pause: (ms: number) => pause(ms),
    onWait: (owner: { pid: number }) => progress.step(`waiting for the build that process ${owner.pid} runs`),
    onStale: (owner: { pid: number }) =>
      progress.note(`process ${owner.pid} ended without finishing its build: taking over`),
  };
  await withLock(`${entry}.lock`, lockDeps, async () => {
    if (!existsSync(bin)) await build(plan, home, entry, progress);
  });
  return bin;
}

async function build(plan: BuildPlan, home: string, entry: string, progress: Progress): Promise<void> {
  await requireGo(plan);
  progress.note("building the testbed's programs: 5 to 7 minutes on two cores the first time, kept for the next");
  removeDrafts(home);
  // Beside the entry, so that the rename stays within one file system.
  const draft = join(home, `draft-${process.pid}`);
  mkdirSync(join(draft, "bin"), { recursive: true });
  try {
    await buildPrograms(plan, join(draft, "bin"), progress);
    publish(draft, entry);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  progress.step(`the testbed's programs are in ${entry}`);
}

async function requireGo(plan: BuildPlan): Promise<void> {
  const folder = join(ROOT, plan.folder);
  const needed = parseGoDirective(readFileSync(join(folder, "go.mod"), "utf8"));
  if (needed === undefined) throw new Error(`Cannot find the go line in ${folder}/go.mod`);
  const complaint = judgeGo(await findGo(folder), needed, plan.platform);
  if (complaint !== undefined) throw new Error(complaint);
}

/** Drafts of builds that were killed. Go's own build cache keeps what they had compiled. */
function removeDrafts(home: string): void {
  mkdirSync(home, { recursive: true });
  for (const name of readdirSync(home)) {
    const pid = Number(/^draft-(\d+)$/.exec(name)?.[1]);
    if (Number.isInteger(pid) && identify(pid) === undefined)
      rmSync(join(home, name), { recursive: true, force: true });
  }
}

function publish(draft: string, entry: string): void {
  try {
    renameSync(draft, entry);
  } catch (error) {
    // Another build published the same content in the meantime.
    if (!existsSync(join(entry, "bin"))) throw new Error(`Cannot publish ${draft} as ${entry}`, { cause: error });
  }
}

// No DWARF: debug information nobody reads costs a tenth of the compilers' time.
const FLAGS = ["-trimpath", "-gcflags=all=-dwarf=false"];

async function buildPrograms(plan: BuildPlan, bin: string, progress: Progress): Promise<void> {
  const cwd = join(ROOT, plan.folder);
  const packages = plan.programs.map((program) => program.package);
  progress.step("downloading modules");
  const all = await go(["list", "-deps", "-f", "{{.ImportPath}}", ...packages], { cwd, progress });
  const total = all.split("\n").length - 1;
  progress.step("compiling");
  // `list -export` compiles without linking: one pool of work for all programs, and no two links at once.
  await go(["list", "-export", "-v", ...FLAGS, "-deps", "-f", "", ...packages], { cwd, progress, total });
  for (const { name, package: path } of plan.programs) {
    progress.step(`linking ${name}`);
    // A link takes up to 3 GB of memory, so they come one after the other.
    await go(["build", ...FLAGS, "-ldflags", plan.ldflags, "-o", join(bin, name), path], { cwd, progress });
  }
}

interface GoOptions {
  readonly cwd: string;
  readonly progress: Progress;
  /** Packages this command may compile, at most. */
  readonly total?: number;
}

/** Runs go and turns the lines it prints on stderr into progress. */
function go(args: readonly string[], options: GoOptions): Promise<string> {
  let compiled = 0;
  let downloaded = 0;
  return run("go", args, {
    cwd: options.cwd,
    env: { CGO_ENABLED: "0" },
    onErrorLine(line) {
      const module = /^go: downloading (\S+ \S+)/.exec(line)?.[1];
      if (module !== undefined) options.progress.detail(`${++downloaded} modules downloaded, last ${module}`);
      else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) {
        const of = options.total === undefined ? "" : ` of at most ${options.total}`;
        options.progress.detail(`${++compiled}${of} compiled, last ${line}`);
      }
    },
  });
}
