import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeFlags, startEnv } from "../bundle-start.ts";
import { bundle } from "../bundle.ts";
import { writeArchive, writeLayer } from "./archive.ts";
import type { Image, Layer } from "./oci.ts";
import { folderEntries, nodeEntries } from "./rootfs.ts";

/** Programs that have an image, and its name. */
const NAMES = {
  relay: "kubearmor-relay",
  operator: "kubearmor-relay-operator",
  agents: "kubearmor-relay-agents",
} as const;

export type ProgramName = keyof typeof NAMES;
export const programNames = Object.keys(NAMES) as readonly ProgramName[];

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
  return `${prefix}${NAMES[program]}:${TAG}`;
}

/**
 * Builds an OCI archive of these programs' images, nothing pulled, and returns its path. They run as any user on a
 * read-only root; the Node layer below them is one and the same.
 */
export async function buildImages(programs: readonly ProgramName[], options: ImageOptions): Promise<string> {
  const layers = join(options.cache, "layers");
  const base = writeLayer(layers, await nodeEntries());
  const images: Image[] = [];
  for (const program of programs) {
    images.push({
      ref: imageRef(program, options.prefix),
      architecture: goArchitecture(),
      config: {
        Entrypoint: ["/bin/node", ...nodeFlags, "/app/main.js"],
        User: "65532",
        Env: [
          "PATH=/bin",
          "NODE_ENV=production",
          ...Object.entries(startEnv).map(([name, value]) => `${name}=${value}`),
        ],
        WorkingDir: "/app",
        Labels: { "org.opencontainers.image.title": NAMES[program] },
      },
      layers: [base, await programLayer(program, layers)],
    });
  }
  return writeArchive(join(options.cache, "images"), images);
}

/** The program's bundle as it is now, made in a folder of its own: another run may be bundling into dist/. */
async function programLayer(program: ProgramName, layers: string): Promise<Layer> {
  const folder = mkdtempSync(join(tmpdir(), "kubearmor-relay-bundle-"));
  try {
    await bundle(program, folder);
    const entries = folderEntries(folder, "app");
    // Source maps are for people at a desk; they are larger than the program.
    return writeLayer(
      layers,
      entries.filter(({ path }) => !path.endsWith(".map")),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
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
