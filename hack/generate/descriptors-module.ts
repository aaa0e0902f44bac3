/** The text of a module that holds a FileDescriptorSet: a module and not a data file, so that it is part of every bundle. */
export function descriptorSetModule(descriptorSet: Buffer): string {
  const lines = descriptorSet.toString("base64").match(/.{1,112}/g) ?? [];
  return [
    "// Made by hack/generate/descriptors.ts from proto/kubearmor.proto and the protos of gRPC health and reflection.",
    "/** A google.protobuf.FileDescriptorSet, in base64. */",
    "export const descriptorSetBase64 =",
    `${lines.map((line) => `  "${line}"`).join(" +\n")};`,
    "",
  ].join("\n");
}
