import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { FakeClock } from "../process/fake-clock.ts";
import { loadCluster } from "./credentials.ts";

async function directory(
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "kube-credentials-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

const serviceAccount = { token: "first\n", "ca.crt": "CA 1\n", namespace: "kubearmor\n" };

function kubeconfig(name: string, cluster: object, user: object, context: object = {}): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, ...context } }],
    "current-context": name,
  });
}

test("loadCluster() prefers the kubeconfig of its options, then the pod's ServiceAccount, then KUBECONFIG", async () => {
  await using files = await directory({
    ...serviceAccount,
    given: kubeconfig("given", { server: "https://given:6443/" }, { token: "t" }),
    variable: kubeconfig("variable", { server: "https://variable:6443" }, { token: "t" }),
  });
  const env = { KUBECONFIG: join(files.path, "variable"), KUBERNETES_SERVICE_HOST: "10.96.0.1" };
  const deps = { env, serviceAccountDirectory: files.path };
  assert.equal(loadCluster({ kubeconfig: join(files.path, "given") }, deps).server, "https://given:6443");
  assert.equal(loadCluster({}, deps).server, "https://10.96.0.1:443");
  assert.equal(
    loadCluster({}, { env, serviceAccountDirectory: join(files.path, "none") }).server,
    "https://variable:6443",
  );
});

test("loadCluster() says what it tried when it finds nothing", async () => {
  await using files = await directory({});
  assert.throws(
    () => loadCluster({}, { serviceAccountDirectory: files.path }),
    /no kubeconfig was given, ".*token" does not exist \(not in a pod\), and KUBECONFIG is not set/,
  );
});

test("loadCluster() in a pod takes the namespace and the address, of IPv6 too", async () => {
  await using files = await directory(serviceAccount);
  const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
  const cluster = loadCluster({}, { env, serviceAccountDirectory: files.path });
  assert.equal(cluster.server, "https://[fd00::1]:6443");
  assert.equal(cluster.currentNamespace, "kubearmor");
  assert.equal(loadCluster({}, { serviceAccountDirectory: files.path }).server, "https://kubernetes.default.svc:443");
});

test("Cluster.credentials() trims the token and reads it again after a minute, or when told to", async () => {
  await using files = await directory(serviceAccount);
  const clock = new FakeClock();
  const cluster = loadCluster({}, { serviceAccountDirectory: files.path, clock });
  const authorization = async (fresh = false) => (await cluster.credentials({ fresh })).headers["authorization"];
  assert.equal(await authorization(), "Bearer first");
  await writeFile(join(files.path, "token"), "second\n");
  clock.advance(59_999);
  assert.equal(await authorization(), "Bearer first");
  clock.advance(1);
  assert.equal(await authorization(), "Bearer second");
  await writeFile(join(files.path, "token"), "third\n");
  assert.equal(await authorization(true), "Bearer third");
});

test("Cluster.credentials() raises the TLS generation when a file of them changes, and only then", async () => {
  await using files = await directory(serviceAccount);
  const clock = new FakeClock();
  const cluster = loadCluster({}, { serviceAccountDirectory: files.path, clock });
  const first = await cluster.credentials();
  assert.deepEqual(first.tls, { ca: "CA 1" });
  await writeFile(join(files.path, "token"), "second\n");
  clock.advance(60_000);
  assert.equal((await cluster.credentials()).tlsGeneration, first.tlsGeneration);
  await writeFile(join(files.path, "ca.crt"), "CA 2\n");
  clock.advance(60_000);
  const [second, third] = await Promise.all([cluster.credentials(), cluster.credentials()]);
  assert.deepEqual(second.tls, { ca: "CA 2" });
  assert.equal(second.tlsGeneration, first.tlsGeneration + 1);
  assert.equal(third.tlsGeneration, second.tlsGeneration);
});

test("Cluster.credentials() rejects with the file's name when it cannot be read, and recovers", async () => {
  await using files = await directory(serviceAccount);
  const cluster = loadCluster({}, { serviceAccountDirectory: files.path });
  await rm(join(files.path, "ca.crt"));
  await assert.rejects(cluster.credentials(), /Cannot read the credentials file ".*ca\.crt"/);
  await writeFile(join(files.path, "ca.crt"), "CA 1\n");
  assert.deepEqual((await cluster.credentials()).tls, { ca: "CA 1" });
});

test("loadCluster() reads the entries of a kubeconfig", async () => {
  await using files = await directory({
    config: kubeconfig(
      "a",
      {
        server: "https://a:6443",
        "certificate-authority": "ca.pem",
        "tls-server-name": "api.example",
        "proxy-url": "http://proxy:3128",
      },
      {
        "client-certificate-data": base64("CERT"),
        "client-key-data": base64("KEY"),
        as: "somebody",
        username: "u",
        password: "p",
      },
      { namespace: "team" },
    ),
    "ca.pem": "CA",
  });
  const cluster = loadCluster({ kubeconfig: join(files.path, "config") });
  const { headers, tls } = await cluster.credentials();
  assert.equal(cluster.currentNamespace, "team");
  assert.equal(cluster.proxyUrl, "http://proxy:3128");
  assert.deepEqual(tls, { ca: "CA", cert: "CERT", key: "KEY", servername: "api.example" });
  assert.deepEqual(headers, { authorization: `Basic ${base64("u:p")}`, "impersonate-user": "somebody" });
});

test("loadCluster() plays all of whom a kubeconfig names: its user, UID, groups and extras", async () => {
  const user = { token: "t", as: "jane", "as-uid": "7", "as-groups": ["a", "b"], "as-user-extra": { scopes: ["x"] } };
  await using files = await directory({
    config: kubeconfig("a", { server: "https://a" }, user),
    groups: kubeconfig("a", { server: "https://a" }, { token: "t", "as-groups": ["a"] }),
  });
  const { headers } = await loadCluster({ kubeconfig: join(files.path, "config") }).credentials();
  assert.deepEqual(headers, {
    authorization: "Bearer t",
    "impersonate-user": "jane",
    "impersonate-uid": "7",
    "impersonate-group": ["a", "b"],
    "impersonate-extra-scopes": ["x"],
  });
  assert.throws(() => loadCluster({ kubeconfig: join(files.path, "groups") }), /Cannot use the user of context "a"/);
});

test("loadCluster() follows a kubeconfig's tokenFile, relative to the kubeconfig", async () => {
  await using files = await directory({
    config: kubeconfig("a", { server: "https://a" }, { tokenFile: "my-token" }),
    "my-token": "  secret \n",
  });
  const cluster = loadCluster({ kubeconfig: join(files.path, "config") });
  assert.equal((await cluster.credentials()).headers["authorization"], "Bearer secret");
});

test("loadCluster() runs an exec plugin, and again for fresh credentials", async () => {
  // Answers with one letter more at every run.
  const program = `
    const fs = require("node:fs");
    const file = process.argv[1];
    fs.appendFileSync(file, "x");
    const token = fs.readFileSync(file, "utf8");
    console.log(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } }));
  `;
  await using files = await directory({ runs: "" });
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["-e", program, join(files.path, "runs")],
    interactiveMode: "Never",
  };
  const path = join(files.path, "config");
  await writeFile(path, kubeconfig("a", { server: "https://a" }, { exec }));
  const cluster = loadCluster({ kubeconfig: path });
  assert.equal((await cluster.credentials()).headers["authorization"], "Bearer x");
  assert.equal((await cluster.credentials()).headers["authorization"], "Bearer x");
  assert.equal((await cluster.credentials({ fresh: true })).headers["authorization"], "Bearer xx");
});

test("loadCluster() merges the files of KUBECONFIG: the first entry of a name wins, a context may be chosen", async () => {
  await using files = await directory({
    one: kubeconfig("a", { server: "https://one" }, { token: "1" }),
    two: kubeconfig("a", { server: "https://other" }, { token: "2" }),
    three: kubeconfig("b", { server: "https://three" }, { token: "3" }),
  });
  const env = { KUBECONFIG: ["one", "two", "three"].map((name) => join(files.path, name)).join(delimiter) };
  const deps = { env, serviceAccountDirectory: join(files.path, "none") };
  assert.equal(loadCluster({}, deps).server, "https://one");
  assert.equal(loadCluster({ context: "b" }, deps).server, "https://three");
  assert.throws(() => loadCluster({ context: "c" }, deps), /Cannot find the context "c"/);
});

test("loadCluster() refuses a proxy that it cannot use, and a file that is not there", async () => {
  await using files = await directory({
    config: kubeconfig("a", { server: "https://a", "proxy-url": "socks5://proxy" }, {}),
  });
  assert.throws(() => loadCluster({ kubeconfig: join(files.path, "config") }), /proxy-url must be http or https/);
  assert.throws(() => loadCluster({ kubeconfig: join(files.path, "none") }), /Cannot read the kubeconfig ".*none"/);
});
