import { type PackageDefinition, loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { FieldCursor } from "../wire/protobuf.ts";
import type { Registry } from "./registry.ts";

/** gRPC reflection, v1 and v1alpha, over the files of a google.protobuf.FileDescriptorSet, as their compiler wrote them. */
export function addReflection(registry: Registry, descriptorSet: Buffer): void {
  const fileDescriptorProtos = filesOf(descriptorSet);
  // The loader writes the descriptors anew, and names map entries in a way that grpcurl refuses.
  const definitions: PackageDefinition = {};
  for (const [name, definition] of Object.entries(loadFileDescriptorSetFromBuffer(descriptorSet))) {
    if ("fileDescriptorProtos" in definition) definitions[name] = Object.assign(definition, { fileDescriptorProtos });
  }
  new ReflectionService(definitions).addToServer(registry);
}

/** Field 1 of a FileDescriptorSet: a FileDescriptorProto each. */
function filesOf(descriptorSet: Buffer): Buffer[] {
  const cursor = new FieldCursor();
  cursor.reset(descriptorSet, 0, descriptorSet.length);
  const files: Buffer[] = [];
  while (cursor.next()) if (cursor.number === 1) files.push(descriptorSet.subarray(cursor.start, cursor.end));
  if (cursor.malformed) throw new TypeError("Cannot read the descriptors: not a FileDescriptorSet");
  return files;
}
