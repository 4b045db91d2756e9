import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { asOnlyCommand, begunFile } from "../../backup/physical/only-command.ts";
import { isAbandoned } from "../../core/folder-lock.ts";
import { ownHolder } from "../../docker/scratch-holder.ts";
import { serverDirectory } from "../../server/locations.ts";
import type { StackLeftover } from "./leftover.ts";
import type { KnownServer } from "./own-servers.ts";

/** Finds a killed restore in place of an embedded server. */
export async function killedInPlace({ folder, dataDirectory }: KnownServer): Promise<StackLeftover[]> {
  const lock = join(folder, `${begunFile}.lock`);
  if (!existsSync(join(folder, begunFile)) || (existsSync(lock) && !(await isAbandoned(lock)))) return [];
  const directory = { data: dataDirectory, log: serverDirectory(folder).log };
  // Servers are in `servers` of the folder that has their programs.
  const place = { home: dirname(dirname(folder)), directory };
  return [
    {
      kind: "files",
      found: `a restore in place of ${dataDirectory} was killed`,
      action: "complete its exchange of clusters, or remove the restored one, and start the server",
      act: async () => {
        await asOnlyCommand(place, { holder: await ownHolder(), onNote: () => undefined }, async () => undefined);
      },
    },
  ];
}
