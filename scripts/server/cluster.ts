import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isAbsent } from "../core/absent.ts";
import { OperationError } from "../core/operation-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { makeEnterable } from "./folders.ts";
import { run } from "./program.ts";
import { stagedCluster, stagedPassword, unfinishedClusters } from "./unfinished.ts";

/** Major version of the data directories that this kit can open. */
export const majorVersion = "17";

/** Superuser that `initdb` creates. The kit uses it as admin connection for everything it declares. */
export const superuser = "postgres";

/** Content of a data directory: nothing, a cluster of a major version, or other files. */
export type ClusterState = { kind: "absent" } | { kind: "cluster"; majorVersion: string } | { kind: "foreign" };

/** Reads what a data directory contains. */
export async function clusterState(dataDirectory: string): Promise<ClusterState> {
  let entries: string[];
  try {
    entries = await readdir(dataDirectory);
  } catch (error) {
    if (isAbsent(error)) return { kind: "absent" };
    throw new OperationError(`Cannot read the data directory ${dataDirectory}: ${(error as Error).message}`);
  }
  if (entries.length === 0) return { kind: "absent" };
  if (!entries.includes("PG_VERSION")) return { kind: "foreign" };
  return { kind: "cluster", majorVersion: (await readFile(join(dataDirectory, "PG_VERSION"), "utf8")).trim() };
}

/** Refuses a data directory that this PostgreSQL cannot open, before anything is changed. */
export function assertUsable(state: ClusterState, dataDirectory: string): void {
  if (state.kind === "foreign") {
    throw new OperationError(
      `The data directory ${dataDirectory} contains files, but no PostgreSQL cluster (no PG_VERSION).`,
      {
        hint: "Set pgroundwork:dataDirectory to an empty folder or to a PostgreSQL data directory.",
      },
    );
  }
  if (state.kind === "cluster" && !/^\d/.test(state.majorVersion)) {
    throw new OperationError(
      `The data directory ${dataDirectory} is damaged: its PG_VERSION is "${state.majorVersion}".`,
      {
        hint: `Restore it from a backup. If only this file is damaged, write ${majorVersion} into it.`,
      },
    );
  }
  if (state.kind === "cluster" && state.majorVersion !== majorVersion) {
    throw new OperationError(
      `The data directory ${dataDirectory} was created by PostgreSQL ${state.majorVersion}, but this is PostgreSQL ${majorVersion}.`,
      {
        hint: `Move its contents with pg_dumpall and a server of version ${state.majorVersion}, or set pgroundwork:dataDirectory to another folder.`,
      },
    );
  }
}

/**
 * Refuses a cluster that PostgreSQL could not write. Its account must own it and have all rights on it.
 *
 * @param account undefined for the account of this process
 */
export async function assertOwned(dataDirectory: string, account: Account | undefined): Promise<void> {
  const { uid, mode } = await stat(dataDirectory);
  const wanted = account?.uid ?? process.getuid?.() ?? uid;
  const who = account === undefined ? "this user" : "the account pgroundwork";
  if (uid !== wanted) {
    throw new OperationError(
      `The data directory ${dataDirectory} belongs to the user with id ${uid}, but PostgreSQL runs as ${who}, id ${wanted}.`,
      { hint: `Nothing was changed. Change its owner: chown -R ${wanted} '${dataDirectory}'` },
    );
  }
  if ((mode & 0o700) !== 0o700) {
    throw new OperationError(
      `The data directory ${dataDirectory} has mode ${(mode & 0o777).toString(8).padStart(4, "0")}: PostgreSQL cannot write it.`,
      { hint: `Nothing was changed. Run: chmod 0700 '${dataDirectory}'` },
    );
  }
}

/**
 * Refuses to replace a data directory that has a cluster by one that has none. Otherwise everything that the program
 * declares would be created again, empty, and the data would seem lost.
 */
export async function assertMoved(previous: string, wanted: string): Promise<void> {
  if (resolve(previous) === resolve(wanted)) return;
  if ((await clusterState(previous)).kind !== "cluster" || (await clusterState(wanted)).kind !== "absent") return;
  throw new OperationError(
    `The data is in ${previous}, but the data directory is now set to ${wanted}, which has no data.`,
    {
      hint: `Stop the server (npm run down), move it (mv '${previous}' '${wanted}'), then run \`up\` again.`,
    },
  );
}

/**
 * Creates a cluster with SCRAM passwords, data checksums, ICU collation and UTF-8. It is created under a temporary name
 * and then renamed. A killed run leaves either no data directory or a complete one.
 */
export async function initialise(
  binaries: Binaries,
  dataDirectory: string,
  superuserPassword: string,
  account: Account | undefined,
): Promise<void> {
  const parent = dirname(dataDirectory);
  await makeEnterable(parent);
  for (const left of await unfinishedClusters(dataDirectory)) await rm(left, { recursive: true, force: true });

  const staging = stagedCluster(dataDirectory);
  const passwordFile = stagedPassword(dataDirectory);
  try {
    // Created here and not by initdb, because the account may not be able to create folders in the parent folder. The
    // parent's permissions stay the same.
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
      // Character classes for everything that does not use ICU, for example full text search. macOS has no C.UTF-8.
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
          hint:
            account !== undefined && /Permission denied/.test(finished.stderr)
              ? closedToAccount
              : "Nothing was created. Correct the cause (disk space, permissions of the folder), then run `up` again.",
        },
      );
    }
    await rename(staging, dataDirectory);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(staging, { recursive: true, force: true });
  }
}

const closedToAccount =
  "For root, PostgreSQL runs as the account pgroundwork, which must have access to that folder. Allow it (chmod o+x), or set XDG_DATA_HOME.";

function cannotRun(program: string, cause: NodeJS.ErrnoException): OperationError {
  return new OperationError(`Cannot run ${program}: ${cause.code ?? cause.message}`, {
    hint: cause.code === "EACCES" ? closedToAccount : "Run `npm ci` again.",
    cause,
  });
}
