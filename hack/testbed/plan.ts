import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One program: the Go package it is built from and the name of its file. */
export interface Program {
  readonly name: string;
  readonly package: string;
}

/** Programs of one Go module, compiled together and linked one after the other. */
export type BuildStep =
  | {
      readonly kind: "module";
      readonly title: string;
      /** Folder with the go.mod, relative to this one. */
      readonly folder: string;
      readonly ldflags: string;
      readonly programs: readonly Program[];
    }
  | {
      readonly kind: "install";
      readonly title: string;
      /** `package@version`, with its module's own go.mod. */
      readonly target: string;
      readonly programs: readonly Program[];
    };

export interface BuildPlan {
  readonly platform: string;
  readonly steps: readonly BuildStep[];
}

const KUBERNETES = "1.37.2";

/** What has to be built for an operating system and architecture, both as Go names them. */
export function buildPlan(os: string, arch: string): BuildPlan {
  const linux = os === "linux";
  const versions = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) => [
    `-X ${path}.gitVersion=v${KUBERNETES}`,
    `-X ${path}.gitMajor=${KUBERNETES.split(".")[0]}`,
    `-X ${path}.gitMinor=${KUBERNETES.split(".")[1]}`,
    `-X ${path}.gitTreeState=clean`,
  ]);
  return {
    platform: `${os}/${arch}`,
    steps: [
      {
        kind: "module",
        title: `Kubernetes ${KUBERNETES}`,
        folder: "control-plane",
        ldflags: ["-s -w", ...versions].join(" "),
        programs: [
          { name: "tether", package: "./tether" },
          { name: "kubebox", package: "./kubebox" },
          { name: "kwok", package: "sigs.k8s.io/kwok/cmd/kwok" },
          // The node runs on Linux only.
          ...(linux
            ? [
                { name: "pause", package: "./pause" },
                { name: "kubelet", package: "k8s.io/kubernetes/cmd/kubelet" },
                { name: "kube-proxy", package: "k8s.io/kubernetes/cmd/kube-proxy" },
              ]
            : []),
        ],
      },
      {
        // A module of its own: CoreDNS lifts versions of gRPC and others that Kubernetes pins.
        kind: "module",
        title: "CoreDNS",
        folder: "dns",
        ldflags: "-s -w",
        programs: [{ name: "coredns", package: "." }],
      },
      {
        kind: "install",
        title: "grpcurl",
        target: "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4",
        programs: [{ name: "grpcurl", package: "github.com/fullstorydev/grpcurl/cmd/grpcurl" }],
      },
      {
        kind: "install",
        title: "grpc-health-probe",
        target: "github.com/grpc-ecosystem/grpc-health-probe@v0.4.61",
        programs: [{ name: "grpc-health-probe", package: "github.com/grpc-ecosystem/grpc-health-probe" }],
      },
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

/** All files of the plan's Go modules. */
export function readInputs(root: string, plan: BuildPlan): InputFile[] {
  const folders = plan.steps.flatMap((step) => (step.kind === "module" ? [step.folder] : []));
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.go$|^go\.(mod|sum)$/.test(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path: path.slice(root.length + 1), content: readFileSync(path) };
      }),
  );
}
