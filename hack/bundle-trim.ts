import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Plugin } from "esbuild";

/** ES modules that only define things when they are loaded, which their package.json does not say. */
const pure = "@kubernetes/client-node";

/**
 * CommonJS packages, which esbuild takes whole: where in them the exports are that somebody imports by name, and what else
 * their own index does.
 */
const picked: Readonly<Record<string, readonly string[]>> = {
  undici: [
    'import Dispatcher from "./lib/dispatcher/dispatcher.js";',
    'import api from "./lib/api/index.js";',
    "Object.assign(Dispatcher.prototype, api);",
    'export { default as Agent } from "./lib/dispatcher/agent.js";',
    'export { default as ProxyAgent } from "./lib/dispatcher/proxy-agent.js";',
    'export { fetch } from "./lib/web/fetch/index.js";',
  ],
};

const require = createRequire(import.meta.url);
// Marks a question of our own, which comes back to the hook that asks it.
const asked = Symbol("asked");

/**
 * Leaves out what a program does not use of packages that hang together as one: whatever is loaded stays in memory, as
 * source and as byte code. A name that is not among those above fails the build.
 */
export function trimPackages(): Plugin {
  return {
    name: "trim-packages",
    setup(hooks) {
      const inside = `/node_modules/${pure}/`;
      hooks.onResolve({ filter: /./ }, async ({ path, pluginData, ...rest }) => {
        const isPicked = rest.namespace === "picked" && path.startsWith(".");
        if (pluginData === asked || Object.hasOwn(picked, path)) return undefined;
        if (!isPicked && path !== pure && !rest.importer.includes(inside)) return undefined;
        // A module of the picked namespace is no file; `resolveDir` says where it would be.
        const from = isPicked ? { ...rest, namespace: "file", importer: "" } : rest;
        const found = await hooks.resolve(path, { ...from, pluginData: asked });
        return { ...found, sideEffects: false };
      });
      for (const [name, lines] of Object.entries(picked)) {
        const filter = new RegExp(`^${name}$`);
        const resolveDir = dirname(require.resolve(`${name}/package.json`));
        hooks.onResolve({ filter }, () => ({ path: name, namespace: "picked" }));
        hooks.onLoad({ filter, namespace: "picked" }, () => ({ contents: lines.join("\n"), resolveDir }));
      }
    },
  };
}
