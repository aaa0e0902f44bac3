import { createHash } from "node:crypto";
import type { TarEntry } from "./tar.ts";

/** A blob that is a file: a layer. */
export interface Layer {
  /** An uncompressed tar archive. */
  readonly file: string;
  /** `sha256:…` of it. */
  readonly digest: string;
  readonly size: number;
}

/** How the image's program is started; fields as in the OCI image specification. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly User: string;
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

export interface Image {
  /** With host and tag, as `localhost/name:1`: a name without a host means docker.io. */
  readonly ref: string;
  /** As Go names it. */
  readonly architecture: string;
  readonly config: ImageConfig;
  /** Lowest first. */
  readonly layers: readonly Layer[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * The files of an OCI image layout that holds these images; layers that several share are in it once.
 * Source: https://github.com/opencontainers/image-spec, image-layout.md.
 */
export function layout(images: readonly Image[]): TarEntry[] {
  const blobs = new Map<string, TarEntry>();
  const put = (mediaType: string, value: object): Descriptor => {
    const content = Buffer.from(JSON.stringify(value));
    const hex = createHash("sha256").update(content).digest("hex");
    blobs.set(hex, { kind: "file", path: `blobs/sha256/${hex}`, mode: 0o644, content });
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const manifests = images.map((image) => {
    for (const layer of image.layers) {
      const hex = layer.digest.replace("sha256:", "");
      blobs.set(hex, { kind: "copy", path: `blobs/sha256/${hex}`, mode: 0o644, from: layer.file });
    }
    const config = put("application/vnd.oci.image.config.v1+json", {
      architecture: image.architecture,
      os: "linux",
      config: image.config,
      rootfs: { type: "layers", diff_ids: image.layers.map((layer) => layer.digest) },
    });
    const manifest = put("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers: image.layers.map(({ digest, size }) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest,
        size,
      })),
    });
    return {
      ...manifest,
      // The first is the name containerd gives the image, the second what the specification knows: the tag.
      annotations: {
        "io.containerd.image.name": image.ref,
        "org.opencontainers.image.ref.name": image.ref.slice(image.ref.lastIndexOf(":") + 1),
      },
    };
  });
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
  return [
    { kind: "file", path: "oci-layout", mode: 0o644, content: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    { kind: "file", path: "index.json", mode: 0o644, content: Buffer.from(JSON.stringify(index)) },
    ...blobs.values(),
  ];
}
