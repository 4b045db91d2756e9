import { join } from "node:path";
import type { Client } from "pg";
import type { Connection } from "../../connection/connection.ts";
import { openFile } from "./dump-file.ts";
import type { DatabaseContent } from "./metadata.ts";
import { databaseOption } from "./program-environment.ts";
import type { DumpTools } from "./programs.ts";
import type { StoredDump } from "./store.ts";

/** Options of {@link loadFiles}. */
export interface LoadFilesOptions {
  /** Login to the new, empty database. */
  connection: Connection;
  /** File with the private key, if the dump is encrypted. */
  identityFile: string | undefined;
  /** Number of processes that load a folder. */
  jobs: number;
  /** True to leave out what a copy elsewhere does not need: tablespaces and subscriptions. */
  isTrial: boolean;
  signal: AbortSignal;
}

/**
 * Loads the files of a dump into an empty database. It stops at the first error.
 *
 * @throws ProgramError with that error
 */
export async function loadFiles(
  tools: DumpTools,
  { path, metadata, remote }: StoredDump & Required<Pick<StoredDump, "metadata">>,
  { connection, identityFile, jobs, isTrial, signal }: LoadFilesOptions,
): Promise<void> {
  const [first] = metadata.files;
  if (first === undefined) throw new Error("the dump has no files");
  const trial = isTrial ? ["--no-tablespaces", "--no-subscriptions"] : [];
  const args = ["--exit-on-error", "--no-password", ...trial, databaseOption(connection.database)];
  if (metadata.kind === "directory")
    return tools.restoreFolder({ args: [...args, `--jobs=${jobs}`], connection, signal }, join(path, "dump"));
  const stored = await remote?.open(first.name);
  try {
    const input = await openFile(join(path, first.name), identityFile, stored);
    if (metadata.kind === "custom") {
      await tools.run({ program: "pg_restore", args, connection, input, signal });
    } else {
      const quiet = ["--no-psqlrc", "--quiet", "--no-password", "--output=/dev/null", "--set=ON_ERROR_STOP=1"];
      await tools.run({ program: "psql", args: quiet, connection, input, signal });
    }
  } finally {
    stored?.destroy();
  }
}

/**
 * Opens a dump and closes it again, to find out if its key is known.
 *
 * @throws OperationError if the dump is encrypted and cannot be decrypted
 */
export async function requireReadable(
  { path, metadata, remote }: StoredDump & Required<Pick<StoredDump, "metadata">>,
  identityFile: string | undefined,
): Promise<void> {
  const [first] = metadata.files;
  if (first === undefined || metadata.recipients.length === 0) return;
  const stored = await remote?.open(first.name);
  try {
    (await openFile(join(path, first.name), identityFile, stored)).destroy();
  } finally {
    stored?.destroy();
  }
}

/** Returns the statement that creates an empty database with the encoding and collation of a dumped one. */
export function createDatabaseStatement(
  client: Client,
  name: string,
  { encoding, provider, collate, ctype, locale }: DatabaseContent,
  owner?: string,
): string {
  const text = (value: string) => client.escapeLiteral(value);
  const providers: Readonly<Record<string, string>> = { c: "libc", i: "icu", b: "builtin" };
  const localeOption: Readonly<Record<string, string>> = { i: "icu_locale", b: "builtin_locale" };
  const option = localeOption[provider];
  return [
    `create database ${client.escapeIdentifier(name)} template template0 encoding ${text(encoding)}`,
    `lc_collate ${text(collate)} lc_ctype ${text(ctype)}`,
    // Before version 15, there was no other provider.
    ...(provider === "c" ? [] : [`locale_provider ${providers[provider] ?? provider}`]),
    ...(option === undefined || locale === null ? [] : [`${option} ${text(locale)}`]),
    ...(owner === undefined ? [] : [`owner ${client.escapeIdentifier(owner)}`]),
  ].join(" ");
}
