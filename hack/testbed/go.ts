import { CommandError, run } from "./command.ts";

/** What is wrong with the Go on this machine, as text that names the remedy; undefined when it will do. */
export function judgeGo(found: GoFound, needed: string, platform: string): string | undefined {
  const install = `curl -fsSL https://go.dev/dl/go${needed}.${platform.replace("/", "-")}.tar.gz | tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH`;
  if (found.kind === "missing") {
    return `Cannot build the testbed: there is no "go" in PATH and Go ${needed} or newer is needed. Install it: ${install}`;
  }
  if (isAtLeast(found.version, needed)) return undefined;
  // From 1.21 on Go fetches a newer Go by itself, unless it is told not to.
  const remedy = isAtLeast(found.version, "1.21")
    ? `let it fetch a newer one: export GOTOOLCHAIN=go${needed}`
    : install;
  return `Cannot build the testbed: Go is ${found.version} and ${needed} or newer is needed. Either ${remedy}`;
}

export type GoFound = { readonly kind: "missing" } | { readonly kind: "found"; readonly version: string };

/** `go version go1.26.8 linux/amd64` → `1.26.8`; pre-releases count as their release. */
export function parseGoVersion(line: string): string | undefined {
  return /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(line)?.[1];
}

/** The version that the `go` line of a go.mod asks for. */
export function parseGoDirective(goMod: string): string | undefined {
  return /^go (\d+\.\d+(?:\.\d+)?)/m.exec(goMod)?.[1];
}

function isAtLeast(version: string, needed: string): boolean {
  const [have, want] = [version, needed].map((text) => text.split(".").map(Number));
  for (const [index, number] of (want ?? []).entries()) {
    const difference = (have?.[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The Go that a build in `folder` would use: with GOTOOLCHAIN=auto that may be a newer one than the one in PATH. */
export async function findGo(folder: string): Promise<GoFound> {
  for (const args of [["version"], ["env", "GOVERSION"]]) {
    try {
      // The second command runs outside of any module, where a Go that is too old still answers.
      const line = await run(
        "go",
        args,
        args[0] === "env" ? { cwd: "/", env: { GOTOOLCHAIN: "local" } } : { cwd: folder },
      );
      const version = parseGoVersion(line);
      if (version !== undefined) return { kind: "found", version };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error.status === undefined) return { kind: "missing" };
    }
  }
  return { kind: "missing" };
}
