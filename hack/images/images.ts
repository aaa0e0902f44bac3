import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeArchive, writeLayer } from "./archive.ts";
import type { Image } from "./oci.ts";
import { folderEntries, nodeEntries } from "./rootfs.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** A program of ours and the folder its bundle is in. */
const PROGRAMS = {
  relay: { name: "kubearmor-relay", bundle: "dist/relay" },
  operator: { name: "kubearmor-relay-operator", bundle: "dist/operator" },
  agents: { name: "kubearmor-relay-agents", bundle: "dist/agents" },
} as const;

export type ProgramName = keyof typeof PROGRAMS;
export const programNames = Object.keys(PROGRAMS) as readonly ProgramName[];

/** Names without a host would mean docker.io. */
export const DEFAULT_PREFIX = "localhost/";

export interface ImageOptions {
  /** The cache's root folder. */
  readonly cache: string;
  /** What comes before an image's name. Default `localhost/`. */
  readonly prefix?: string;
}

/** The tag of what is built from this tree; the manifests in config/ name it too. */
const TAG = "dev";

export function imageRef(program: ProgramName, prefix = DEFAULT_PREFIX): string {
  return `${prefix}${PROGRAMS[program].name}:${TAG}`;
}

/**
 * Builds an OCI archive of these programs' images, nothing pulled, and returns its path. They run as any user on a
 * read-only root; the Node layer below them is one and the same.
 */
export async function buildImages(programs: readonly ProgramName[], options: ImageOptions): Promise<string> {
  const layers = join(options.cache, "layers");
  const base = writeLayer(layers, await nodeEntries());
  const images = programs.map((program): Image => {
    const bundle = join(ROOT, PROGRAMS[program].bundle);
    if (!existsSync(join(bundle, "main.js"))) {
      throw new Error(
        `Cannot build the image of ${program}: ${PROGRAMS[program].bundle}/main.js is missing; run: node hack/bundle.ts`,
      );
    }
    return {
      ref: imageRef(program, options.prefix),
      architecture: goArchitecture(),
      config: {
        Entrypoint: ["/bin/node", "/app/main.js"],
        User: "65532",
        Env: ["PATH=/bin", "NODE_ENV=production"],
        WorkingDir: "/app",
        Labels: { "org.opencontainers.image.title": PROGRAMS[program].name },
      },
      layers: [base, writeLayer(layers, folderEntries(bundle, "app"))],
    };
  });
  return writeArchive(join(options.cache, "images"), images);
}

/** The image every pod's first process comes from, on the testbed's node. */
export const PAUSE_REF = "localhost/pause:1";

/** An archive of that image. `bin` is the folder of the testbed's programs. */
export function buildPauseImage(bin: string, cache: string): string {
  const layer = writeLayer(join(cache, "layers"), [
    { kind: "copy", path: "pause", mode: 0o755, from: join(bin, "pause") },
  ]);
  const config = { Entrypoint: ["/pause"], User: "65535" };
  return writeArchive(join(cache, "images"), [
    { ref: PAUSE_REF, architecture: goArchitecture(), config, layers: [layer] },
  ]);
}

/** An archive of nothing but Node, for pods of tests that bring their program as an argument. */
export async function buildNodeImage(ref: string, cache: string): Promise<string> {
  const layer = writeLayer(join(cache, "layers"), await nodeEntries());
  const config = { Entrypoint: ["/bin/node"], User: "65532", Env: ["PATH=/bin"] };
  return writeArchive(join(cache, "images"), [{ ref, architecture: goArchitecture(), config, layers: [layer] }]);
}

function goArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
