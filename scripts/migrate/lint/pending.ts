import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { readCommitted } from "../committed.ts";
import { previewMigrations } from "../preview.ts";
import { describeFindings } from "./finding.ts";
import { type LintReport, lintFiles } from "./lint.ts";
import type { LintedFile } from "./raw-findings.ts";
import { readTableStates } from "./table-states.ts";

/** Lints files that would be applied to the client's database, for its version and its contents. */
export async function lintPending(client: Client, files: readonly LintedFile[]): Promise<LintReport> {
  if (files.length === 0) return { findings: [], exceptions: [] };
  const { rows } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  );
  const pgVersion = Math.floor((rows[0]?.version ?? 0) / 10_000);
  return lintFiles(files, { pgVersion, tableStates: (names) => readTableStates(client, names) });
}

/** Selection of a folder's files. */
export interface PendingOptions {
  /** The last file, by number or name. Omit for all. */
  to?: string | undefined;
  /** Names of files whose problem is accepted. */
  allow?: readonly string[] | undefined;
}

/**
 * Lints the files that `up` would apply to a database.
 *
 * @throws OperationError as applying does, and if squawk cannot be run
 */
export async function lintTarget(
  connection: Connection,
  folder: string,
  options: PendingOptions = {},
): Promise<LintReport & { files: number }> {
  const names = new Set((await previewMigrations(connection, folder, options)).map(({ filename }) => filename));
  if (names.size === 0) return { files: 0, findings: [], exceptions: [] };
  const files = (await readCommitted(folder)).filter(({ filename }) => names.has(filename));
  const report = await withClient(connection, (client) => lintPending(client, files), "pgroundwork lint");
  return { files: files.length, ...report };
}

/**
 * Refuses files that are unsafe on a database in use. This check protects databases with real data.
 *
 * @throws OperationError (exit code notAllowed) with every finding of level error; as {@link lintTarget}
 */
export async function refuseUnsafe(connection: Connection, folder: string, options?: PendingOptions): Promise<void> {
  requireNoErrors(await lintTarget(connection, folder, options));
}

/**
 * Requires that there are no errors.
 *
 * @throws OperationError (exit code notAllowed) with every finding of level error
 */
export function requireNoErrors({ findings }: LintReport): void {
  const errors = findings.filter(({ level }) => level === "error");
  if (errors.length === 0) return;
  throw new OperationError(
    ["Pending migrations are unsafe on a database in use:", ...describeFindings(errors)].join("\n"),
    {
      hint: "Uncommit the files and change them, or accept a finding with its reason before the statement: -- squawk-ignore <rule>: <reason>",
      exitCode: exitCode.notAllowed,
    },
  );
}
