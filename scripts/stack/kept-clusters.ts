import { lstat, opendir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { BegunInPlace } from "../backup/restore/in-place/begun-in-place.ts";
import { unlessAbsent } from "../core/absent.ts";
import type { Known } from "../core/known.ts";
import { OperationError } from "../core/operation-error.ts";
import { isNothing, type PausedWork, parsePaused, pausedFile } from "../model/paused-work.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";

/** A cluster that an in-place restore or its undo keeps beside the stack's own, until `backup restore --finish`. */
export interface KeptCluster {
  /** Name of its folder, next to the data directory. */
  folder: string;
  /** True if `backup restore --undo` returns to it. False for one that an undo put aside. */
  canReturn: boolean;
  /** Time of the restore, in ISO 8601. */
  restoredAt: string;
  ageSeconds: number;
  bytes: number;
}

/** Kept clusters of a stack, or the reason why they are not known. */
export type KeptClusters = Known<{
  clusters: KeptCluster[];
  /** Jobs and subscriptions that a restore paused. Omitted if there are none. */
  paused?: PausedWork;
  /** Omitted unless a restore in place has begun and is not complete. */
  begun?: BegunInPlace;
}>;

/** Finds the clusters that restores keep beside a stack's own. Only reads. */
export async function readKeptClusters(server: ServerOutput, now: Date): Promise<KeptClusters> {
  switch (server.kind) {
    case "embedded":
      return readNextToData(server.dataDirectory, now);
    case "docker":
      return readInVolume(server.dockerHost, server.container, now);
    case "external":
      return { known: true, clusters: [] };
  }
}

async function readNextToData(data: string, now: Date): Promise<KeptClusters> {
  const { siblingClusters } = await import("../server/cluster-exchange.ts");
  try {
    const clusters: KeptCluster[] = [];
    for (const { path } of await siblingClusters(data)) {
      const found = keptIn(basename(path).slice(basename(data).length), now);
      if (found !== undefined) clusters.push({ folder: path, ...found, bytes: await bytesIn(path) });
    }
    const listed = await unlessAbsent(readFile(join(data, pausedFile), "utf8"));
    return { known: true, clusters, ...pausedIn(listed ?? "") };
  } catch (error) {
    // Such as a folder that another account owns, or that a command is removing.
    if (!(error instanceof Error && "code" in error)) throw error;
    return { known: false, reason: error.message };
  }
}

/** Returns the size of a folder's files in bytes. Files that vanish meanwhile do not count. */
async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  const directory = await unlessAbsent(opendir(folder, { recursive: true }));
  if (directory === undefined) return 0;
  for await (const entry of directory) {
    if (!entry.isFile()) continue;
    sum += (await unlessAbsent(lstat(join(entry.parentPath, entry.name))))?.size ?? 0;
  }
  return sum;
}

/** Lists the folders with their sizes in bytes, one in each line. */
const listScript = `cd /var/lib/postgresql/17
for each in data.before-* data.undone-*; do
  [ -d "$each" ] && du -sb "$each"
done
[ ! -e data/${pausedFile} ] || echo "paused $(cat data/${pausedFile})"
exit 0`;

async function readInVolume(dockerHost: string | undefined, container: string, now: Date): Promise<KeptClusters> {
  const { withDocker } = await import("../docker/client.ts");
  const { isRunning } = await import("../docker/server/running.ts");
  const { runInContainer } = await import("../docker/run-in-container.ts");
  const { readBegunInPlace } = await import("../backup/restore/in-place/begun-in-place.ts");
  try {
    return await withDocker(dockerHost, async (docker) => {
      const begun = await readBegunInPlace(docker, container);
      const work = begun === undefined ? {} : { begun };
      if (!(await isRunning(docker, container)))
        return begun === undefined
          ? { known: false, reason: `the container ${container} does not run` }
          : { known: true, clusters: [], ...work };
      const { code, stdout, stderr } = await runInContainer(docker, container, { command: ["sh", "-c", listScript] });
      if (code !== 0) return { known: false, reason: stderr.trim() || `the folders could not be listed (${code})` };
      const clusters = stdout.split("\n").flatMap((line) => {
        const [bytes = "", folder = ""] = line.split("\t");
        const found = keptIn(folder.replace(/^data/, ""), now);
        return found === undefined ? [] : [{ folder, ...found, bytes: Number(bytes) }];
      });
      const [, listed = ""] = /^paused (.*)$/m.exec(stdout) ?? [];
      return { known: true, clusters, ...pausedIn(listed), ...work };
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { known: false, reason: error.message };
  }
}

function pausedIn(text: string): { paused?: PausedWork } {
  const paused = parsePaused(text);
  return paused === undefined || isNothing(paused) ? {} : { paused };
}

/** Reads the end of a folder's name, such as `.before-20261129T054501Z`. Returns undefined for other folders. */
function keptIn(name: string, now: Date): Omit<KeptCluster, "folder" | "bytes"> | undefined {
  const [, role, date, hours, minutes, seconds] = /^\.(before|undone)-(\d{8})T(\d\d)(\d\d)(\d\d)Z$/.exec(name) ?? [];
  if (date === undefined) return undefined;
  const day = date.replace(/(\d{4})(\d\d)(\d\d)/, "$1-$2-$3");
  const restoredAt = `${day}T${hours}:${minutes}:${seconds}Z`;
  const ageSeconds = Math.round((now.getTime() - Date.parse(restoredAt)) / 1_000);
  return { canReturn: role === "before", restoredAt, ageSeconds };
}

/** Age in seconds from which a kept cluster is a warning. */
const longestAgeSeconds = 7 * 86_400;

/** Returns true if a cluster is kept for so long that it was probably forgotten. */
export function isForgotten({ ageSeconds }: KeptCluster): boolean {
  return ageSeconds > longestAgeSeconds;
}
