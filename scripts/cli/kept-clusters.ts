import { ago } from "../core/age.ts";
import { finishRestoreCommand, resumeCommand } from "../model/command-lines.ts";
import type { KeptClusters } from "../stack/kept-clusters.ts";
import { countPaused } from "./commands/backup/paused.ts";
import { bytes } from "./commands/backup/texts.ts";

/** Describes the clusters that in-place restores keep, and what they paused, one line each. */
export function describeKeptClusters(kept: KeptClusters, stack: string): string[] {
  if (!kept.known) return [];
  return [
    ...kept.clusters.map(({ folder, canReturn, restoredAt, ageSeconds, bytes: size }) => {
      const what = canReturn
        ? "The cluster from before the restore"
        : "The cluster that an undo put aside, of the restore";
      const facts = `${bytes(size)}, ${ago(ageSeconds)}`;
      return `${what} of ${restoredAt} (${facts}) is kept in ${folder}. To remove it: ${finishRestoreCommand(stack)}`;
    }),
    ...(kept.paused === undefined
      ? []
      : [`A restore in place paused ${countPaused(kept.paused)}. To enable them: ${resumeCommand(stack)}`]),
  ];
}
