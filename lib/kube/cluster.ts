import { cachedFile } from "./cached-file.ts";
import type { Clock } from "../process/clock.ts";

/** An API server and the way to prove to it who we are. */
export interface Cluster {
  /** Origin and path prefix, without a slash at the end. */
  readonly server: string;
  /** Namespace of the ServiceAccount or of the kubeconfig's context. */
  readonly currentNamespace: string;
  /** Where the credentials came from, for the log. */
  readonly source: string;
  readonly proxyUrl: string | undefined;
  /** Reads again what may have been rotated; at most a minute old unless `fresh`. */
  credentials(options?: { readonly fresh?: boolean }): Promise<Credentials>;
}

/** A header with several values is sent as often. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface Credentials {
  /** Authorization and impersonation. */
  readonly headers: RequestHeaders;
  readonly tls: TlsOptions;
  /** Grows when `tls` changes: connections made with an older one must not be used for new requests. */
  readonly tlsGeneration: number;
}

export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: false;
}

/** A PEM text, or the file that holds it. */
export type Pem = { readonly kind: "text"; readonly text: string } | { readonly kind: "file"; readonly path: string };

/** What a plugin of a kubeconfig (exec, OIDC, cloud provider) answers. */
export interface PluginAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface ClusterDescription {
  readonly server: string;
  readonly currentNamespace: string;
  readonly source: string;
  readonly proxyUrl?: string | undefined;
  readonly ca?: Pem | undefined;
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  readonly servername?: string | undefined;
  readonly insecure?: boolean;
  /** Constant headers. */
  readonly headers?: RequestHeaders;
  readonly tokenFile?: string | undefined;
  readonly plugin?: ((fresh: boolean) => Promise<PluginAnswer>) | undefined;
}

/** A cluster whose files are read again at need. */
export function describedCluster(description: ClusterDescription, clock: Clock): Cluster {
  const { server, currentNamespace, source, proxyUrl } = description;
  const ca = pemReader(description.ca, clock);
  const cert = pemReader(description.cert, clock);
  const key = pemReader(description.key, clock);
  const token = description.tokenFile === undefined ? undefined : cachedFile(description.tokenFile, clock);
  let tls: TlsOptions = {};
  let tlsGeneration = 0;

  async function load(fresh: boolean): Promise<Credentials> {
    const answer = await description.plugin?.(fresh);
    const headers: Record<string, string | readonly string[]> = { ...description.headers, ...answer?.headers };
    if (token !== undefined) headers["authorization"] = `Bearer ${await token.read(fresh)}`;
    const next = tlsOptions(
      description,
      await ca(fresh),
      answer?.cert ?? (await cert(fresh)),
      answer?.key ?? (await key(fresh)),
    );
    if (tlsGeneration === 0 || !sameTls(tls, next)) {
      tls = next;
      tlsGeneration += 1;
    }
    return { headers, tls, tlsGeneration };
  }

  // One after the other, so that answers come in the order of their generations.
  let last: Promise<unknown> = Promise.resolve();
  return {
    server,
    currentNamespace,
    source,
    proxyUrl,
    credentials(options) {
      const next = last.then(() => load(options?.fresh ?? false));
      // The caller of `next` sees the failure; the one after it starts anew.
      last = next.catch(() => {});
      return next;
    },
  };
}

function pemReader(pem: Pem | undefined, clock: Clock): (fresh: boolean) => Promise<string | undefined> {
  if (pem === undefined) return () => Promise.resolve(undefined);
  if (pem.kind === "text") return () => Promise.resolve(pem.text);
  const file = cachedFile(pem.path, clock);
  return (fresh) => file.read(fresh);
}

function tlsOptions(
  description: ClusterDescription,
  ca: string | undefined,
  cert: string | undefined,
  key: string | undefined,
): TlsOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(description.servername === undefined ? {} : { servername: description.servername }),
    ...(description.insecure === true ? { rejectUnauthorized: false as const } : {}),
  };
}

function sameTls(left: TlsOptions, right: TlsOptions): boolean {
  return left.ca === right.ca && left.cert === right.cert && left.key === right.key;
}
