import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { NotKnown, type Observer } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";
import { diskValues, type HostValues, ownMachine } from "../host-values.ts";
import { inTime } from "../in-time.ts";

export const host: Collector<HostValues> = {
  name: "host",
  needs: "the data directory",
  async collect(observer, { readHost }) {
    if (readHost !== undefined) return inTime("the server's machine", readHost());
    const { blocks, bavail, bfree, bsize } = await statfs(await ownDataDirectory(observer));
    const [sizeBytes, usedBytes, freeBytes] = [blocks * bsize, (blocks - bfree) * bsize, bavail * bsize];
    return { ...diskValues({ sizeBytes, usedBytes, freeBytes }), ...ownMachine() };
  },
};

/**
 * Returns the data directory if the server runs on this machine. Another machine can have a server with the same path,
 * so the start time in its postmaster.pid must be that of the server.
 *
 * @throws NotKnown if it does not
 */
export async function ownDataDirectory(observer: Observer): Promise<string> {
  const [row] = await observer.query<{ folder: string | null; started: number }>(
    `select current_setting('data_directory', true) as folder, floor(extract(epoch from pg_postmaster_start_time()))::float8 as started`,
  );
  if (row === undefined || row.folder === null)
    throw new NotKnown("the role may not read where the data directory is (pg_monitor)");
  const elsewhere = "the server's files are not on this machine, or this account may not read them";
  const text = await readFile(join(row.folder, "postmaster.pid"), "utf8").catch(() => {
    throw new NotKnown(elsewhere);
  });
  const started = Number(text.split("\n")[2]);
  // The file is written a moment before the server notes its start.
  if (!(Math.abs(started - row.started) <= 2)) throw new NotKnown(elsewhere);
  return row.folder;
}
