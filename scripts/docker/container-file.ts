import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { extract } from "tar-stream";
import { unlessMissing } from "./docker-error.ts";

/** Reads a text file of a container, which can be stopped; undefined if the file does not exist. */
export async function readContainerFile(container: Docker.Container, path: string): Promise<string | undefined> {
  const archive = await unlessMissing(container.getArchive({ path }));
  if (archive === undefined) return undefined;
  const entries = extract();
  archive.pipe(entries);
  let content: string | undefined;
  for await (const entry of entries) content = await text(entry);
  return content;
}
