/*
 * A process that restores an archive in place, or undoes that, as the command does. A test can kill it. Its argument is
 * a file with the request.
 */
import { readFile } from "node:fs/promises";
import {
  type EmbeddedPlace,
  type InPlaceOptions,
  restoreArchiveInPlace,
  undoArchiveRestore,
} from "../../../../../scripts/backup/physical/in-place.ts";
import { findArchive } from "../../../../../scripts/backup/physical/store.ts";
import { ownHolder } from "../../../../../scripts/docker/scratch-holder.ts";
import type { StackOutputs } from "../../../../../scripts/model/stack-outputs.ts";

/** Request to the process. */
export interface InPlaceWork {
  what: "restore" | "undo";
  place: Omit<EmbeddedPlace, "owner">;
  /** Folder of the archives. */
  archives: string;
  outputs: Pick<StackOutputs, "server" | "databases">;
}

const work = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as InPlaceWork;
const options: InPlaceOptions = {
  ...{ identityFile: undefined, holder: await ownHolder(), signal: new AbortController().signal },
  onStep: () => undefined,
  onNote: (text) => process.stderr.write(`${text}\n`),
  exclusively: (change) => change(work.outputs),
};
const place = { ...work.place, owner: undefined };
if (work.what === "restore")
  await restoreArchiveInPlace(place, await findArchive(work.archives, "latest"), options, async () => undefined);
else await undoArchiveRestore(place, options, async () => undefined);
