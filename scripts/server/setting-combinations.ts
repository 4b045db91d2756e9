import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../core/absent.ts";
import { temporaryFor } from "../core/temporary.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { configurationFile, renderConfiguration, type ServerSettings } from "./configuration.ts";
import { run } from "./program.ts";

/**
 * Errors of PostgreSQL 17 about settings that contradict each other (`PostmasterMain`,
 * src/backend/postmaster/postmaster.c).
 */
const contradiction =
  /^.*(?:"superuser_reserved_connections" .* must be less than|cannot be (?:enabled|summarized) when "wal_level"|requires "wal_level").*$/m;

/**
 * Finds the reason PostgreSQL would not start with settings that are valid on their own. Returns undefined if none is
 * known. The program is started on a data directory that has only configuration files. It checks them and exits before
 * it would open a cluster. Changes that a person made in the server's own files are included.
 */
export async function contradictionIn(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
): Promise<string | undefined> {
  const folder = temporaryFor(join(dataDirectory, "pgroundwork.check"));
  const files: Record<string, string> = {
    PG_VERSION: await readFile(join(dataDirectory, "PG_VERSION"), "utf8"),
    // The kit's file is read where the server's own file includes it, because later lines override it.
    "postgresql.conf": `${await textOf(join(dataDirectory, "postgresql.conf"))}\n`,
    "postgresql.auto.conf": await textOf(join(dataDirectory, "postgresql.auto.conf")),
    [configurationFile]: renderConfiguration(settings),
    [join("global", "pg_control")]: "",
  };
  if (!files["postgresql.conf"]?.includes(configurationFile))
    files["postgresql.conf"] += `include_if_exists '${configurationFile}'\n`;
  try {
    await mkdir(join(folder, "global"), { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
    if (account !== undefined) {
      for (const name of ["", "global", ...Object.keys(files)])
        await chown(join(folder, name), account.uid, account.gid);
    }
    // A value that is computed at a start. With any other one, the program would exit before it compares the settings.
    const finished = await run(binaries.postgres, ["-D", folder, "-C", "shared_memory_size"], {
      account,
      cwd: dataDirectory,
    });
    return contradiction.exec(finished.stderr)?.[0].replace(/^.*?(?:FATAL|ERROR|PANIC|postgres): +/, "");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function textOf(path: string): Promise<string> {
  return (await unlessAbsent(readFile(path, "utf8"))) ?? "";
}
