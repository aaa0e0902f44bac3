import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { Client, credentials, type ServiceDefinition } from "@grpc/grpc-js";
import { service as health } from "grpc-health-check";
import { logServiceDefinition } from "../relay/server/definitions.ts";
import { bundle } from "./bundle.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "bundle-")));
after(() => rmSync(folder, { recursive: true }));

test("bundle() makes a relay that needs Node and its folder, and writes nothing", async (t) => {
  const app = join(folder, "relay");
  await bundle("relay", app);
  const files = readdirSync(app, { recursive: true });
  // The permission model refuses to read any other file, and to write at all.
  const flags = ["--permission", `--allow-fs-read=${app}`];
  const relay = spawn(
    process.execPath,
    [...flags, join(app, "main.js"), "-gRPCPort=0", "--httpPort=0", "--agents=127.0.0.1:1"],
    { cwd: app, env: {}, stdio: ["ignore", "ignore", "pipe"] },
  );
  t.after(() => relay.kill("SIGKILL"));
  const exited = once(relay, "exit");

  const client = new Client(`127.0.0.1:${await grpcPort(relay.stderr)}`, credentials.createInsecure());
  t.after(() => client.close());
  assert.deepEqual(await call(client, logServiceDefinition()["HealthCheck"], { nonce: 11 }), { Retval: 11 });
  assert.deepEqual(await call(client, (health as ServiceDefinition)["Check"], { service: "" }), { status: "SERVING" });
  assert.match(String(await listServices(client)), /feeder\.LogService/);

  relay.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(readdirSync(app, { recursive: true }), files);
});

/** From the relay's log; fails with the log if the relay ends first. */
async function grpcPort(stderr: NodeJS.ReadableStream): Promise<number> {
  const lines: string[] = [];
  for await (const line of createInterface(stderr)) {
    lines.push(line);
    const port = /"grpcPort":(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      // Unread, the pipe would fill.
      stderr.resume();
      return Number(port);
    }
  }
  throw new Error(`The relay ended before it listened:\n${lines.join("\n")}`);
}

interface Method {
  readonly path: string;
  readonly requestSerialize: (value: unknown) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

function call(client: Client, method: unknown, request: unknown): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = method as Method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, reply) => {
      if (error === null) resolve(reply);
      else reject(error);
    });
  });
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}

/** The answer of reflection to "*", as bytes. */
async function listServices(client: Client): Promise<Buffer> {
  const stream = client.makeBidiStreamRequest(
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    identity,
    identity,
  );
  // Field 7, list_services.
  stream.write(Buffer.from([0x3a, 1, 0x2a]));
  stream.end();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
