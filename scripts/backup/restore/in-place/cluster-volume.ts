import type Docker from "dockerode";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { runInContainer } from "../../../docker/run-in-container.ts";
import { removeAbandoned, withScratchContainer } from "../../../docker/scratch-container.ts";
import { ownHolder, scratchHolder } from "../../../docker/scratch-holder.ts";
import { isNothing, type PausedWork, pausedFile } from "../../../model/paused-work.ts";
import { paths, type StackBackups } from "../../stack-backups.ts";
import { folderName, holderFile, listScript, mark, parseFolders, pendingSteps, type RestoreFolders } from "./layout.ts";

/** Folder with the clusters, in containers that mount the volume. */
export const clusters = `${paths.cluster}/17`;

/** Time in seconds that a server may take to release the volume. */
const lockSeconds = 30;

/** Runs shell scripts on the volume of a stack's cluster. */
export interface ClusterVolume {
  run(script: string, ...args: string[]): Promise<string>;
  /** Runs a script while no server can start on the volume. Fails if one runs. */
  runAlone(script: string, ...args: string[]): Promise<string>;
  folders(): Promise<RestoreFolders>;
}

/** Maximum lifetime of the container in seconds, in case it is not removed. */
const lifetimeSeconds = 24 * 3_600;

/** Runs work with a container that mounts the volume of a stack's cluster. The server can run or be stopped. */
export async function withClusterVolume<T>(
  docker: Docker,
  { owner, image, volumes }: StackBackups,
  work: (volume: ClusterVolume) => Promise<T>,
): Promise<T> {
  // A server that a killed command left could still write to a folder that is about to be removed.
  await removeAbandoned(docker, owner);
  const command = ["sleep", String(lifetimeSeconds)];
  const spec = { owner, image, command, volumes: { [paths.cluster]: volumes.data }, scratchFolders: ["/tmp"] };
  return withScratchContainer(docker, spec, async (container) => {
    await container.start();
    const run = async (script: string, ...args: string[]) => {
      const given = ["sh", "-c", `set -eu; ${script}`, "sh", ...args];
      const { code, stdout, stderr } = await runInContainer(docker, container.id, { command: given });
      if (code === 0) return stdout;
      throw new OperationError(
        `The volume ${volumes.data} could not be changed: ${stderr.trim() || `exit code ${code}`}`,
      );
    };
    return work({
      run,
      // The entrypoint of the server's container holds this lock while the server runs.
      runAlone: (script, ...args) =>
        run(
          `exec 9>>${paths.cluster}/lock; flock --wait ${lockSeconds} 9 || { echo "a server runs on it" >&2; exit 1; }; ${script}`,
          ...args,
        ),
      folders: async () => parseFolders(await run(listScript)),
    });
  });
}

/**
 * Runs work as the only command that changes the folders.
 *
 * @param work gets true if an earlier command was killed
 * @throws OperationError if another command is running
 */
export async function asOnlyCommand<T>(volume: ClusterVolume, work: (wasKilled: boolean) => Promise<T>): Promise<T> {
  const { holder } = await volume.folders();
  if (holder !== undefined && (await scratchHolder(holder)) !== "gone") {
    throw new OperationError(`Another in-place restore of this stack is running (${holder}).`, {
      hint: `Wait for its end. If it ran on a machine that is lost, remove ${clusters}/${holderFile} from the volume.`,
      exitCode: exitCode.notAllowed,
    });
  }
  const own = await ownHolder();
  // Two commands can find the file of a killed one at the same time.
  const taken = await volume.run(
    `cd ${clusters}; exec 8>>${holderFile}.lock; flock 8
     [ "$(cat ${holderFile} 2>/dev/null)" = "$2" ] || exit 0
     printf '%s\\n' "$1" >${holderFile}.new; mv ${holderFile}.new ${holderFile}; sync .; echo taken`,
    own,
    holder ?? "",
  );
  if (taken.trim() !== "taken") throw new OperationError("Another in-place restore of this stack has just begun.");
  try {
    return await work(holder !== undefined);
  } finally {
    // A killed process does not get here: the next command finds the file.
    await volume.run(`rm -f ${clusters}/${holderFile}`).catch(() => {});
  }
}

/**
 * Completes or reverts what a killed command left.
 *
 * @returns what was done, for the user
 */
export async function settleFolders(volume: ClusterVolume): Promise<string[]> {
  const done: string[] = [];
  for (const step of pendingSteps(await volume.folders())) {
    if (step.kind === "remove") {
      await removeFolder(volume, folderName(step.role, step.time));
      const again = step.role === "restoring" ? "; it was not in use yet, so the restore has to be run again" : "";
      done.push(`removed ${folderName(step.role, step.time)}, which a killed command left${again}`);
      continue;
    }
    const [from, to] = [folderName(step.from, step.time), folderName(step.to, step.time)];
    await volume.run(`mv -T ${clusters}/"$1" ${clusters}/"$2"; sync ${clusters}`, from, to);
    done.push(`completed the exchange of ${to}, in which a command was killed`);
  }
  return done;
}

/** Returns the locations of the tablespaces that the live cluster has outside of its data directory. */
export async function liveTablespaces(volume: ClusterVolume): Promise<string[]> {
  const found = await volume.run(`find ${clusters}/data/pg_tblspc -type l -exec readlink {} \\;`);
  return found
    .split("\n")
    .filter((location) => location !== "")
    .sort();
}

/** Removes a cluster. It is renamed first, so that a half removed one is never taken for a cluster. */
export async function removeFolder(volume: ClusterVolume, name: string): Promise<void> {
  const [, time = ""] = /-(\w+)$/.exec(name) ?? [];
  const removing = folderName("removing", time);
  const rename = name === removing ? "" : `mv -T "$1" "$2"; sync .;`;
  await volume.run(`cd ${clusters}; ${rename} rm -rf "$2" "$2.mark" "$1.mark"`, name, removing);
}

/**
 * Exchanges the live cluster with another folder, in one system call, while no server runs on the volume.
 *
 * @param to new name of the folder, which has the former live cluster then
 */
export async function exchange(volume: ClusterVolume, name: string, to: string): Promise<void> {
  await volume.runAlone(`cd ${clusters}; sync; mv -T --exchange data "$1"; sync .; mv -T "$1" "$2"; sync .`, name, to);
}

/**
 * Prepares a restored cluster for the live server: its mark, the list of what is paused in it, and its new timeline's
 * history and segments, which the live server has to archive.
 */
export async function prepareRestored(
  volume: ClusterVolume,
  name: string,
  time: string,
  paused: PausedWork,
): Promise<void> {
  await volume.run(
    `cd ${clusters}/"$1"
     rm -f ../"$1".mark ${pausedFile}
     [ -z "$3" ] || (umask 077; printf '%s\\n' "$3" >${pausedFile})
     ${keepForArchive}
     ${shutOutClients}
     printf '%s\\n' "$2" >${mark}.new; mv ${mark}.new ${mark}; sync -f .`,
    name,
    time,
    isNothing(paused) ? "" : JSON.stringify(paused),
  );
}

/**
 * Shell script that lets a cluster start without clients, because it has the passwords of its time. pg_hba.conf accepts
 * only connections with TLS, and those of the socket, which need no password. A reload accepts clients again.
 */
const shutOutClients = "printf 'ssl = off\\n' >>postgresql.auto.conf";

/** Settings in postgresql.auto.conf that a cluster has after the exchange, and loses before clients are accepted. */
export const temporarySettings = ["restore_command", "recovery_target_timeline", "archive_mode", "ssl"] as const;

/** Returns true if the live cluster still shuts out clients, because the command that exchanged it did not complete. */
export async function shutsOutClients(volume: ClusterVolume): Promise<boolean> {
  return shutsOutClientsIn(await volume.run(`cat ${clusters}/data/postgresql.auto.conf 2>/dev/null || true`));
}

/** Returns true if the text of postgresql.auto.conf shuts out clients. */
export function shutsOutClientsIn(settings: string): boolean {
  return /^ssl = '?off/m.test(settings);
}

/** Prepares a restored cluster in `17/data` for the live server, which has to archive its new timeline. */
export async function prepareLive(volume: ClusterVolume): Promise<void> {
  await volume.runAlone(`cd ${clusters}/data; ${keepForArchive}; sync -f .`);
}

/** Shell script that marks the history and segments of a cluster's own timeline, which no server archived. */
const keepForArchive = `control=$(LC_ALL=C pg_controldata .)
     timeline=$(printf '%s\\n' "$control" | sed -n "s/^Latest checkpoint's TimeLineID: *//p")
     current=$(printf '%s\\n' "$control" | sed -n "s/^Latest checkpoint's REDO WAL file: *//p")
     prefix=$(printf '%08X' "$timeline")
     [ "\${current%????????????????}" = "$prefix" ] || { echo "pg_controldata names no segment of timeline $timeline" >&2; exit 1; }
     cd pg_wal
     for file in "$prefix".history "$prefix"????????????????; do
       [ -e "$file" ] || continue
       case $file in *.history) ;; *) [ "$file" \\< "$current" ] || continue ;; esac
       [ -e "archive_status/$file.done" ] || : >"archive_status/$file.ready"
     done
     cd ..`;

/**
 * Prepares the former cluster to start on a new timeline: those of the restored cluster are in the archive, too, and
 * a later restore must not follow them.
 */
export async function prepareFormer(volume: ClusterVolume, name: string, restoreCommand: string): Promise<void> {
  await volume.run(
    `cd ${clusters}/"$1"
     printf "restore_command = '%s'\\nrecovery_target_timeline = 'current'\\n" "$2" >>postgresql.auto.conf
     ${shutOutClients}
     : >recovery.signal; sync -f .`,
    name,
    restoreCommand.replaceAll("'", "''"),
  );
}
