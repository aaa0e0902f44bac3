import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One program: the Go package it is built from and the name of its file. */
export interface Program {
  readonly name: string;
  readonly package: string;
}

export interface BuildPlan {
  readonly platform: string;
  /** Folder with the go.mod, relative to this one. */
  readonly folder: string;
  readonly ldflags: string;
  readonly programs: readonly Program[];
}

const KUBERNETES = "1.37.2";

/** What has to be built for an operating system and architecture, both as Go names them. */
export function buildPlan(os: string, arch: string): BuildPlan {
  const versions = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) => [
    `-X ${path}.gitVersion=v${KUBERNETES}`,
    `-X ${path}.gitMajor=${KUBERNETES.split(".")[0]}`,
    `-X ${path}.gitMinor=${KUBERNETES.split(".")[1]}`,
    `-X ${path}.gitTreeState=clean`,
  ]);
  return {
    platform: `${os}/${arch}`,
    // One module for all: what they share is compiled once.
    folder: "programs",
    ldflags: ["-s -w", ...versions].join(" "),
    programs: [
      { name: "tether", package: "./tether" },
      { name: "kubebox", package: "./kubebox" },
      { name: "kwok", package: "sigs.k8s.io/kwok/cmd/kwok" },
      { name: "grpcurl", package: "github.com/fullstorydev/grpcurl/cmd/grpcurl" },
      { name: "grpc-health-probe", package: "github.com/grpc-ecosystem/grpc-health-probe" },
      // The node runs on Linux only.
      ...(os === "linux"
        ? [
            { name: "pause", package: "./pause" },
            { name: "kubelet", package: "k8s.io/kubernetes/cmd/kubelet" },
            { name: "kube-proxy", package: "k8s.io/kubernetes/cmd/kube-proxy" },
            { name: "coredns", package: "./coredns" },
          ]
        : []),
    ],
  };
}

/** A file of the build's input: its path below this folder and its content. */
export interface InputFile {
  readonly path: string;
  readonly content: Buffer;
}

/**
 * The name of the cache entry: 16 hexadecimal digits over everything the programs are made of.
 * Go's own version is not part of it, so that an update of Go does not cost a build of everything.
 */
export function buildKey(plan: BuildPlan, files: readonly InputFile[]): string {
  const hash = createHash("sha256").update(JSON.stringify(plan));
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`\0${file.path}\0${file.content.length}\0`).update(file.content);
  }
  return hash.digest("hex").slice(0, 16);
}

/** All files of the plan's Go module. */
export function readInputs(root: string, plan: BuildPlan): InputFile[] {
  return readdirSync(join(root, plan.folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.go$|^go\.(mod|sum)$/.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: path.slice(root.length + 1), content: readFileSync(path) };
    });
}
