import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type * as ClientNode from "@kubernetes/client-node";
import { build } from "esbuild";
import type * as Undici from "undici";
import { trimPackages } from "./bundle-trim.ts";

const folder = mkdtempSync(join(tmpdir(), "bundle-trim-"));
after(() => rmSync(folder, { recursive: true }));

async function bundled(name: string, contents: string): Promise<{ readonly file: string; readonly inputs: string[] }> {
  const file = join(folder, `${name}.mjs`);
  const { metafile } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    metafile: true,
    logLevel: "silent",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    plugins: [trimPackages()],
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return { file, inputs };
}

describe("trimPackages()", () => {
  it("keeps a KubeConfig that works, and none of the API's models", async () => {
    const { file, inputs } = await bundled("config", 'export { KubeConfig } from "@kubernetes/client-node";');
    assert.deepEqual(
      inputs.filter((path) => path.includes("/client-node/dist/gen/models/")),
      [],
    );
    const { KubeConfig } = (await import(pathToFileURL(file).href)) as typeof ClientNode;
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [{ name: "a", cluster: { server: "https://a:6443" } }],
        users: [{ name: "b", user: { token: "t" } }],
        contexts: [{ name: "c", context: { cluster: "a", user: "b" } }],
        "current-context": "c",
      }),
    );
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    assert.equal(config.getCurrentCluster()?.server, "https://a:6443");
    assert.equal(config.getCurrentUser()?.token, "t");
  });

  it("keeps agents that work, and not the rest of undici", async () => {
    const { file, inputs } = await bundled("undici", 'export { Agent, ProxyAgent } from "undici";');
    assert.ok(inputs.some((path) => path.endsWith("undici/lib/dispatcher/agent.js")));
    assert.deepEqual(
      inputs.filter((path) => /undici\/lib\/(?:mock|cache|web\/websocket)\//u.test(path)),
      [],
    );
    const { Agent, ProxyAgent } = (await import(pathToFileURL(file).href)) as typeof Undici;
    const server = createServer((request, response) => response.end(`${request.method} ${request.url}`)).listen(0);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const agent = new Agent();
    const { body } = await agent.request({ origin: `http://127.0.0.1:${port}`, path: "/a", method: "PUT" });
    assert.equal(await body.text(), "PUT /a");
    await agent.close();
    server.close();
    await new ProxyAgent("http://127.0.0.1:1").close();
  });

  it("refuses a name that it does not know instead of leaving it undefined", async () => {
    await assert.rejects(bundled("unknown", 'export { MockAgent } from "undici";'), /MockAgent/u);
  });
});
