// Makes dist/<program>/: one JavaScript file that runs with Node alone, and the few files it reads.
//
//   node hack/bundle.ts                 all programs
//   node hack/bundle.ts relay agents    these
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { trimPackages } from "./bundle-trim.ts";

const root = join(import.meta.dirname, "..");

/** Programs and where each begins. */
export const entryPoints = {
  relay: "relay/main.ts",
  operator: "operator/main.ts",
  agents: "hack/agents/main.ts",
} as const;

export type BundleName = keyof typeof entryPoints;

export const bundleNames = Object.keys(entryPoints) as readonly BundleName[];

/** Packages that load protos from beside their code, and the folder these are in. */
const protoFolders: Readonly<Record<string, string>> = {
  "grpc-health-check": "proto",
  "@grpc/reflection": "build/proto/grpc",
};

/** Files and folders to copy: where to, below `assets/`, and where from. */
type Assets = Map<string, string>;

/** Bundles a program into `folder`, which is emptied first: `main.js`, its source map and licences, `assets/`. */
export async function bundle(name: BundleName, folder: string): Promise<void> {
  const entryPoint = join(root, entryPoints[name]);
  if (!existsSync(entryPoint)) throw new Error(`Cannot bundle ${name}: there is no ${entryPoints[name]}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // The folder is an ES module wherever it is put.
  await writeFile(join(folder, "package.json"), `${JSON.stringify({ type: "module" })}\n`);
  const assets: Assets = new Map();
  await build({
    entryPoints: { main: entryPoint },
    outdir: folder,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    sourcemap: "external",
    legalComments: "linked",
    logLevel: "warning",
    banner: { js: banner },
    // Source text is held in memory while the program runs. Names stay: stack traces come from here.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [trimPackages(), packageAssets(assets), sourceAssets(assets)],
  });
  for (const [to, from] of assets) await cp(from, join(folder, "assets", to), { recursive: true });
}

// CommonJS packages in the bundle still call `require` for Node's own modules.
const banner = [
  'import { createRequire as __createRequire } from "node:module";',
  "const require = __createRequire(import.meta.url);",
  "const __assets = import.meta.dirname + '/assets';",
].join("\n");

/** Gives packages that read files beside their code that folder again: a copy under `assets/`. */
function packageAssets(assets: Assets): Plugin {
  return {
    name: "package-assets",
    setup(hooks) {
      for (const [name, protos] of Object.entries(protoFolders)) {
        const inside = `node_modules/${name}/`;
        hooks.onLoad({ filter: new RegExp(`/${inside}.*\\.js$`) }, async ({ path }) => {
          const code = await readFile(path, "utf8");
          if (!code.includes("__dirname")) return undefined;
          const at = path.indexOf(inside) + inside.length;
          assets.set(join(name, protos), join(path.slice(0, at), protos));
          const place = JSON.stringify(`/${name}/${dirname(path.slice(at))}`);
          return { contents: `const __dirname = __assets + ${place};\n${code}`, loader: "js" };
        });
      }
    },
  };
}

/** Copies what our own sources name as `new URL("…", import.meta.url)` to `assets/`. */
function sourceAssets(assets: Assets): Plugin {
  const pattern = /new URL\("(\.[^"]+)", import\.meta\.url\)/g;
  return {
    name: "source-assets",
    setup(hooks) {
      hooks.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const code = await readFile(path, "utf8");
        const contents = code.replace(pattern, (_, file: string) => {
          assets.set(basename(file), resolve(dirname(path), file));
          return `new URL("./assets/${basename(file)}", import.meta.url)`;
        });
        return { contents, loader: "ts" };
      });
    },
  };
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !Object.hasOwn(entryPoints, name));
  if (unknown.length > 0) {
    console.error(`Cannot bundle ${unknown.join(", ")}: the programs are ${bundleNames.join(", ")}`);
    process.exitCode = 2;
  } else {
    const chosen = bundleNames.filter((name) => names.length === 0 || names.includes(name));
    for (const name of chosen) {
      await bundle(name, join(root, "dist", name));
      console.error(`dist/${name}/main.js`);
    }
  }
}
