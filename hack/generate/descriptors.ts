// Writes proto/descriptors.gen.ts: what reflection serves and message codecs are made from, as compiled by protoc.
// A compiler's own output, because the descriptors that proto-loader makes name map entries in a way other tools refuse.
//
//   node hack/generate/descriptors.ts            writes the file (needs protoc: Debian package protobuf-compiler)
//   node hack/generate/descriptors.ts --check    fails if the file is not what protoc makes; passes without protoc
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descriptorSetModule } from "./descriptors-module.ts";

const root = join(import.meta.dirname, "../..");
const target = join(root, "proto/descriptors.gen.ts");
const folders = ["proto", "node_modules/grpc-health-check/proto", "node_modules/@grpc/reflection/build/proto"];
const files = [
  "kubearmor.proto",
  "health/v1/health.proto",
  "grpc/reflection/v1/reflection.proto",
  "grpc/reflection/v1alpha/reflection.proto",
];

function hasCompiler(): boolean {
  try {
    execFileSync("protoc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    // Not installed; the caller says so.
    return false;
  }
}

function compile(): Buffer {
  const scratch = mkdtempSync(join(tmpdir(), "descriptors-"));
  try {
    const out = join(scratch, "set.bin");
    const includes = folders.map((folder) => `-I${join(root, folder)}`);
    execFileSync("protoc", [...includes, "--include_imports", `--descriptor_set_out=${out}`, ...files]);
    return readFileSync(out);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const isCheck = process.argv.includes("--check");
if (!hasCompiler()) {
  console.error("No protoc (Debian package protobuf-compiler): descriptors are neither made nor checked");
  process.exitCode = isCheck ? 0 : 1;
} else {
  const made = descriptorSetModule(compile());
  if (!isCheck) writeFileSync(target, made);
  else if (made !== readFileSync(target, "utf8")) {
    console.error("proto/descriptors.gen.ts is stale, run: node hack/generate/descriptors.ts");
    process.exitCode = 1;
  }
}
