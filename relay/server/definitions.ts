import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { descriptorSetBase64 } from "../../proto/descriptors.gen.ts";

/** The compiled protos of everything the relay serves: a google.protobuf.FileDescriptorSet. */
export function descriptorSet(): Buffer {
  return Buffer.from(descriptorSetBase64, "base64");
}

/** `feeder.LogService`, with its message codecs. */
export function logServiceDefinition(): ServiceDefinition {
  const definition = loadFileDescriptorSetFromBuffer(descriptorSet(), { keepCase: true });
  return definition["feeder.LogService"] as ServiceDefinition;
}
