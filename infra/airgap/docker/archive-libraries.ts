import { createRequire } from "node:module";
import type { Readable } from "node:stream";

/*
 * The libraries by which dockerode packs contexts and reads .dockerignore, taken from it, so that what is packed, hashed and left out here is what it would
 * send.
 */
const ofDockerode = createRequire(createRequire(import.meta.url).resolve("dockerode"));
const ofTarFs = createRequire(ofDockerode.resolve("tar-fs"));

interface TarFs {
  pack(folder: string, options: { entries: readonly string[]; ignore(path: string): boolean; umask: number }): Readable;
}

interface TarHeader {
  name: string;
  mode: number;
  uid: number;
  gid: number;
}

interface TarStream {
  pack(): Readable & { entry(header: TarHeader, content: Buffer): void; finalize(): void };
}

interface DockerIgnore {
  add(patterns: string): DockerIgnore;
  /** True for what is sent. */
  createFilter(): (path: string) => boolean;
}

export const tarFs = ofDockerode("tar-fs") as TarFs;
export const tarStream = ofTarFs("tar-stream") as TarStream;
export const dockerIgnore = ofDockerode("@balena/dockerignore") as (options: { ignorecase: boolean }) => DockerIgnore;
