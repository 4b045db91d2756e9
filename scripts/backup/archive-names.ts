import type Docker from "dockerode";
import { z } from "zod";
import { pgBackRest } from "./pgbackrest.ts";
import { stanza } from "./stack-backups.ts";

/**
 * Files in the WAL archive of a cluster, by name. Partial segments are left out, because recovery does not use them.
 */
export interface ArchiveNames {
  /** Names of complete segments. */
  segments: ReadonlySet<string>;
  /** Timelines that have a history file. */
  histories: readonly number[];
}

const listSchema = z.record(z.string(), z.object({ type: z.string() }));

/**
 * Lists the WAL of a cluster in the repository.
 *
 * @param archiveId pgBackRest's name of the cluster in the archive, such as `17-1`
 */
export async function readArchiveNames(docker: Docker, container: string, archiveId: string): Promise<ArchiveNames> {
  const path = `archive/${stanza}/${archiveId}`;
  const json = await pgBackRest(docker, container, ["repo-ls", "--recurse", "--output=json", path]);
  const files = Object.entries(listSchema.parse(JSON.parse(json))).filter(([, { type }]) => type === "file");
  return namesOf(files.map(([name]) => name));
}

/** Sorts the files of an archive into segments and history files. */
export function namesOf(paths: readonly string[]): ArchiveNames {
  const names = paths.map((path) => path.split("/").at(-1) ?? path);
  return {
    segments: new Set(names.flatMap((name) => /^([0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?$/.exec(name)?.[1] ?? [])),
    histories: names.flatMap((name) => {
      const [, timeline] = /^([0-9A-F]{8})\.history(?:\.\w+)?$/.exec(name) ?? [];
      return timeline === undefined ? [] : [Number.parseInt(timeline, 16)];
    }),
  };
}
