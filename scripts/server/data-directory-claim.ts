import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import { readConfiguration } from "./configuration.ts";
import { findPostmaster } from "./postmaster.ts";
import { readServerRecord, type ServerOwner } from "./server-record.ts";

/**
 * Refuses a data directory on which another stack's server runs: taking it over would end that one's sessions and change its passwords. One whose clone is
 * gone is nobody's any more, and one that is stopped can be taken over.
 *
 * @throws OperationError naming the other stack
 */
export async function assertUnclaimed(dataDirectory: string, owner: ServerOwner): Promise<void> {
  const running = await findPostmaster(dataDirectory);
  if (running === undefined) return;
  const folder = await folderOfLastServer(dataDirectory);
  const other = folder === undefined ? undefined : await readServerRecord(folder);
  if (other === undefined || other.dataDirectory !== dataDirectory || !existsSync(other.clone)) return;
  if (other.clone === owner.clone && other.project === owner.project && other.stack === owner.stack) return;
  throw new OperationError(
    `On the data directory ${dataDirectory} runs the server of stack "${other.stack}" of the clone ${other.clone} (pid ${running.pid}). Nothing was changed.`,
    {
      remedy: `Stop it there (npm run down -- --stack ${other.stack}) if this stack is to have the data, or choose another folder with pgroundwork:dataDirectory.`,
    },
  );
}

/** The folder of the server that ran on a data directory last: its configuration has it as that of the log. */
export async function folderOfLastServer(dataDirectory: string): Promise<string | undefined> {
  const log = /^log_directory = '(.*)'$/m.exec((await readConfiguration(dataDirectory)) ?? "")?.[1];
  return log === undefined ? undefined : dirname(log.replaceAll("''", "'").replaceAll("\\\\", "\\"));
}
