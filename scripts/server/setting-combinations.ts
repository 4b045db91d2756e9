import { randomUUID } from "node:crypto";
import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessAbsent } from "../files/absent.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { configurationFile, renderConfiguration, type ServerSettings } from "./configuration.ts";
import { run } from "./program.ts";

/** What PostgreSQL 17 says of settings that it refuses together (`PostmasterMain`, src/backend/postmaster/postmaster.c). */
const contradiction =
  /^.*(?:"superuser_reserved_connections" .* must be less than|cannot be (?:enabled|summarized) when "wal_level"|requires "wal_level").*$/m;

/**
 * Why PostgreSQL would not start with settings that it can read, each by itself; undefined: no reason is known. Its program is asked to start on a data
 * directory that has configuration files alone: it judges them, and ends before it would open a cluster. What a person wrote into the server's own
 * files counts along.
 *
 * @param prefix of the name of that folder, which is made in the data directory, where the account may enter it
 */
export async function contradictionIn(
  binaries: Binaries,
  dataDirectory: string,
  settings: ServerSettings,
  account: Account | undefined,
  prefix: string,
): Promise<string | undefined> {
  const folder = join(dataDirectory, `${prefix}${randomUUID()}`);
  const files: Record<string, string> = {
    PG_VERSION: await readFile(join(dataDirectory, "PG_VERSION"), "utf8"),
    // The kit's file is read where the server's own file asks for it, since later lines win over it.
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
    // A value that is worked out at a start: with any other, it would end before the settings are held against each other.
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
