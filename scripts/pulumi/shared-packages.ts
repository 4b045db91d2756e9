import { createRequire } from "node:module";

/*
 * gRPC and protobuf, in the copies that @pulumi/pulumi has. Its generated messages and clients check instances, so
 * another copy of the same version does not do.
 */

const ofPulumi = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));

export const { credentials, Server, ServerCredentials, status } = ofPulumi(
  "@grpc/grpc-js",
) as typeof import("@grpc/grpc-js");

export const { Empty } = ofPulumi(
  "google-protobuf/google/protobuf/empty_pb.js",
) as typeof import("google-protobuf/google/protobuf/empty_pb.js");

export const { Struct } = ofPulumi(
  "google-protobuf/google/protobuf/struct_pb.js",
) as typeof import("google-protobuf/google/protobuf/struct_pb.js");
