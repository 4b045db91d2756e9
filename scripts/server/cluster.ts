import { randomUUID } from "node:crypto";
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import { isAbsent } from "../files/absent.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { makeEnterable } from "./folders.ts";
import { run } from "./program.ts";

/** The major version whose data directories this kit can open. */
export const majorVersion = "17";

/** The superuser that `initdb` makes: the admin connection of everything the kit declares. */
export const superuser = "postgres";

/** What is in a data directory: nothing yet, a cluster of a major version, or files that are none. */
export type ClusterState = { kind: "absent" } | { kind: "cluster"; majorVersion: string } | { kind: "foreign" };

export async function clusterState(dataDirectory: string): Promise<ClusterState> {
  let entries: string[];
  try {
    entries = await readdir(dataDirectory);
  } catch (error) {
    if (isAbsent(error)) return { kind: "absent" };
    throw new OperationError(
      `Could not tell what is in the data directory ${dataDirectory}: ${(error as Error).message}`,
    );
  }
  if (entries.length === 0) return { kind: "absent" };
  if (!entries.includes("PG_VERSION")) return { kind: "foreign" };
  return { kind: "cluster", majorVersion: (await readFile(join(dataDirectory, "PG_VERSION"), "utf8")).trim() };
}

/** Refuses a data directory that this PostgreSQL cannot open, before anything is touched. */
export function assertUsable(state: ClusterState, dataDirectory: string): void {
  if (state.kind === "foreign") {
    throw new OperationError(
      `The data directory ${dataDirectory} holds files, but no PostgreSQL cluster (no PG_VERSION).`,
      {
        remedy: "Set pgroundwork:dataDirectory to an empty folder or to a PostgreSQL data directory.",
      },
    );
  }
  if (state.kind === "cluster" && !/^\d/.test(state.majorVersion)) {
    throw new OperationError(
      `The data directory ${dataDirectory} is damaged: its PG_VERSION reads "${state.majorVersion}".`,
      {
        remedy: `Restore it from a backup. If only this file was lost, write ${majorVersion} into it.`,
      },
    );
  }
  if (state.kind === "cluster" && state.majorVersion !== majorVersion) {
    throw new OperationError(
      `The data directory ${dataDirectory} was made by PostgreSQL ${state.majorVersion}; this is PostgreSQL ${majorVersion}.`,
      {
        remedy: `Move its contents with pg_dumpall and a server of version ${state.majorVersion}, or set pgroundwork:dataDirectory to another folder.`,
      },
    );
  }
}

/**
 * Refuses a cluster that PostgreSQL could not write: it must be its account's own, and nobody else's to enter.
 *
 * @param account undefined: this process's own
 */
export async function assertOwned(dataDirectory: string, account: Account | undefined): Promise<void> {
  const { uid, mode } = await stat(dataDirectory);
  const wanted = account?.uid ?? process.getuid?.() ?? uid;
  const who = account === undefined ? "this user" : "the account pgroundwork";
  if (uid !== wanted) {
    throw new OperationError(
      `The data directory ${dataDirectory} belongs to the user with id ${uid}, and PostgreSQL runs as ${who}, id ${wanted}.`,
      { remedy: `Give it back with everything in it: chown -R ${wanted} '${dataDirectory}'. Nothing was changed.` },
    );
  }
  if ((mode & 0o700) !== 0o700) {
    throw new OperationError(
      `The data directory ${dataDirectory} has mode ${(mode & 0o777).toString(8).padStart(4, "0")}: PostgreSQL cannot write it.`,
      { remedy: `Run: chmod 0700 '${dataDirectory}'. Nothing was changed.` },
    );
  }
}

/**
 * Refuses to leave a cluster behind for a data directory that has none: what the program declares would be made a second time, empty, and the
 * data would seem lost.
 */
export async function assertMoved(previous: string, wanted: string): Promise<void> {
  if (resolve(previous) === resolve(wanted)) return;
  if ((await clusterState(previous)).kind !== "cluster" || (await clusterState(wanted)).kind !== "absent") return;
  throw new OperationError(`The data is in ${previous}, and the data directory is to be ${wanted}, which has none.`, {
    remedy: `Stop the server (npm run down), move it (mv '${previous}' '${wanted}'), then run \`up\` again.`,
  });
}

/**
 * Makes a cluster: SCRAM passwords, data checksums, ICU collation, UTF-8. It is made beside its place and renamed into it, so that a
 * killed run leaves either no data directory or a whole one.
 */
export async function initialise(
  binaries: Binaries,
  dataDirectory: string,
  superuserPassword: string,
  account: Account | undefined,
): Promise<void> {
  const parent = dirname(dataDirectory);
  await makeEnterable(parent);
  await removeUnfinished(dataDirectory);

  const staging = `${dataDirectory}.initdb-${randomUUID()}`;
  const passwordFile = `${staging}.password`;
  try {
    // Made here and not by initdb: the parent folder may be one where the account cannot make any, and stays as it is.
    await mkdir(staging, { mode: 0o700 });
    if (account !== undefined) await chown(staging, account.uid, account.gid);
    await writeFile(passwordFile, superuserPassword, { mode: 0o600, flag: "wx" });
    if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
    const args = [
      `--pgdata=${staging}`,
      `--username=${superuser}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--data-checksums",
      "--encoding=UTF8",
      "--locale-provider=icu",
      "--icu-locale=und",
      // Character classes of what does not use ICU (full text search among it). macOS has no C.UTF-8.
      `--locale=${process.platform === "darwin" ? "en_US.UTF-8" : "C.UTF-8"}`,
      "--no-instructions",
    ];
    const finished = await run(binaries.initdb, args, { account, cwd: parent }).catch(
      (cause: NodeJS.ErrnoException) => {
        throw cannotRun(binaries.initdb, cause);
      },
    );
    if (finished.code !== 0) {
      throw new OperationError(
        `initdb failed in ${dataDirectory}:\n${finished.stderr.trim() || finished.stdout.trim()}`,
        {
          remedy:
            account !== undefined && /Permission denied/.test(finished.stderr)
              ? closedToAccount
              : "Nothing was made. Mend what it names (room on the disk, rights on the folder), then run `up` again.",
        },
      );
    }
    await rename(staging, dataDirectory);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(staging, { recursive: true, force: true });
  }
}

/** Removes what killed runs of {@link initialise} left: never a whole cluster, which has its own name by then. */
async function removeUnfinished(dataDirectory: string): Promise<void> {
  const parent = dirname(dataDirectory);
  for (const entry of await readdir(parent)) {
    if (entry.startsWith(`${basename(dataDirectory)}.initdb-`))
      await rm(join(parent, entry), { recursive: true, force: true });
  }
}

const closedToAccount =
  "As root, PostgreSQL runs as the account pgroundwork, which must be able to enter that folder: let others enter it (chmod o+x), or set XDG_DATA_HOME.";

function cannotRun(program: string, cause: NodeJS.ErrnoException): OperationError {
  return new OperationError(`${program} cannot be run: ${cause.code ?? cause.message}`, {
    remedy: cause.code === "EACCES" ? closedToAccount : "Run `npm ci` again.",
    cause,
  });
}
