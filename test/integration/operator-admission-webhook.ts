import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";

/** A webhook of an admission controller, on loopback with a certificate of its own. */
export interface Webhook extends AsyncDisposable {
  readonly url: string;
  /** Base64, as a configuration wants it. */
  readonly caBundle: string;
  /** Says why an object is refused; undefined lets it pass. */
  judge: () => string | undefined;
  /** Nobody listens any more. */
  close(): Promise<void>;
}

interface Review {
  readonly request: { readonly uid: string };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-request-and-response */
export async function startWebhook(): Promise<Webhook> {
  const { key, cert } = await selfSigned();
  const server = createServer({ key, cert }, (request, response) => {
    void buffer(request).then((body) => {
      const { uid } = (JSON.parse(body.toString()) as Review).request;
      const message = webhook.judge();
      const verdict = message === undefined ? { allowed: true } : { allowed: false, status: { code: 403, message } };
      const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, ...verdict } };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(review));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  const webhook: Webhook = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    caBundle: cert.toString("base64"),
    judge: () => undefined,
    close,
    [Symbol.asyncDispose]: close,
  };
  return webhook;
}

async function selfSigned(): Promise<{ readonly key: Buffer; readonly cert: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), "webhook-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  try {
    await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", cert]);
    return { key: await readFile(key), cert: await readFile(cert) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
