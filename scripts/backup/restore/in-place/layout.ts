/*
 * An in-place restore works with folders in the volume of a stack's cluster, next to `17/data`. Their names and one
 * mark tell how far a restore came, so that the next command continues it, whenever a process was killed:
 *
 *   data.restoring-<time>   the cluster that is restored, with the mark; after the exchange: the former cluster
 *   data.before-<time>      the former cluster, complete
 *   data.undone-<time>      the restored cluster, after it was exchanged back
 *   data.removing-<time>    a cluster that is being removed
 *
 * The exchange of `17/data` with another folder is one system call. There is a complete cluster in `17/data` at every
 * moment.
 */

/** Name of the mark in a restored cluster. Its text is the time in the names of the folders. */
export const mark = "pgroundwork-restored";

/** Folders of an in-place restore. */
export interface RestoreFolders {
  /** Mark in `17/data`. undefined: it was not restored in place. */
  live: string | undefined;
  /** Process of the command that works with the folders: see `ownHolder`. undefined: none does, and none was killed. */
  holder: string | undefined;
  /** Other folders, with their marks. */
  others: { role: FolderRole; time: string; mark: string | undefined }[];
}

/** Roles of the folders, as in their names. */
export const folderRoles = ["restoring", "before", "undone", "removing"] as const;
export type FolderRole = (typeof folderRoles)[number];

/** File with the process of the command that works with the folders. */
export const holderFile = "in-place-restore";

/** Shell script that prints the holder, the mark of the live cluster, and each folder with its mark. */
export const listScript = `cd /var/lib/postgresql/17
echo "holder $(cat ${holderFile} 2>/dev/null)"
echo "live $(cat data/${mark} 2>/dev/null)"
for each in data.*; do
  [ -d "$each" ] && echo "$each $(cat "$each/${mark}" 2>/dev/null)"
done
exit 0`;

/** Parses what {@link listScript} prints. */
export function parseFolders(text: string): RestoreFolders {
  const folders: RestoreFolders = { live: undefined, holder: undefined, others: [] };
  for (const line of text.split("\n")) {
    const [name = "", found = ""] = line.split(" ");
    const marked = found === "" ? undefined : found;
    if (name === "live") folders.live = marked;
    if (name === "holder") folders.holder = marked;
    const [, role, time] = /^data\.(restoring|before|undone|removing)-(\w+)$/.exec(name) ?? [];
    if (time !== undefined) folders.others.push({ role: role as FolderRole, time, mark: marked });
  }
  return folders;
}

/** A step that completes or reverts what a killed command left. */
export type PendingStep =
  /** A restored cluster that is not in use: it is removed. */
  | { kind: "remove"; role: FolderRole; time: string }
  /** Folders that were exchanged and not renamed. */
  | { kind: "rename"; time: string; from: FolderRole; to: FolderRole };

/** Decides what a killed command left to do. */
export function pendingSteps({ live, others }: RestoreFolders): PendingStep[] {
  return others.flatMap(({ role, time, mark: marked }): PendingStep[] => {
    if (role === "removing") return [{ kind: "remove", role, time }];
    // The mark went to `17/data` with the exchange.
    if (role === "restoring")
      return live === time && marked !== time
        ? [{ kind: "rename", time, from: "restoring", to: "before" }]
        : [{ kind: "remove", role, time }];
    // An undo exchanged the folders: the mark came back.
    if (role === "before" && marked === time) return [{ kind: "rename", time, from: "before", to: "undone" }];
    return [];
  });
}

/** Returns the former cluster that an in-place restore keeps. */
export function keptCluster({ live, others }: RestoreFolders): string | undefined {
  return others.find(({ role, time, mark: marked }) => role === "before" && time === live && marked !== time)?.time;
}

/** Returns a folder's name: `data.before-20261129T054501Z`. */
export function folderName(role: FolderRole, time: string): string {
  return `data.${role}-${time}`;
}
