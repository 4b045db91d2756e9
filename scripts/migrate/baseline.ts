import type { Client } from "pg";
import type { Difference } from "../catalog/compare.ts";
import { type LockHolder, withDeploymentLock } from "../database/deployment-lock.ts";
import { requireOwnSession } from "../database/pooler.ts";
import { type Provenance, provenance } from "../database/provenance.ts";
import { inTransaction } from "../database/session.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { prepareTables } from "./apply.ts";
import { type CommittedMigration, downFileSha256, readCommitted } from "./committed.ts";
import { openGraphileSession } from "./graphile-migrate.ts";
import { findOtherTools, isOtherTools, type OtherTool } from "./other-tools.ts";
import { compareWithFiles } from "./schema-drift.ts";
import { upTo } from "./selection.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

export interface BaselineOptions {
  connection: Connection;
  /** Who may make the scratch database to compare with. */
  admin: Connection;
  /** The database's folder, the one that holds `committed/`. */
  folder: string;
  /** The last file whose work is there, by number or name; all when absent. */
  to?: string | undefined;
  /** Record the files although the schema is not what they make. */
  acceptDifferences?: boolean | undefined;
  /** Compare, and record nothing. */
  dryRun?: boolean | undefined;
  onWait?: (holder: LockHolder) => void;
  signal?: AbortSignal;
  runId?: string;
}

export interface Baseline {
  /** The files whose work is to be there, in their order. */
  files: string[];
  /** Whether they were recorded: not where the schema differs and that was not accepted, and not when nothing was to be. */
  recorded: boolean;
  /** How many objects the files make. */
  objects: number;
  /** What the schema has otherwise than the files make it; tables of other migration tools left out. */
  differences: Difference[];
  otherTools: OtherTool[];
}

/**
 * Adopts a database whose schema was made by other means: records a folder's files as applied, and runs none. Before that the live schema is compared
 * with what they make in a scratch database.
 *
 * @throws OperationError where something is recorded already (not allowed), the files do not follow their format, or no scratch database can be made
 */
export async function baseline(options: BaselineOptions): Promise<Baseline> {
  const { connection, folder, signal, onWait = () => {} } = options;
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      const wanted = await requireUntracked(client, files, options);
      if (options.dryRun === true) return compare(client, wanted, options);
      await requireOwnSession(client, connection);
      return withDeploymentLock(client, () => adopt(client, files, options), onWait, signal);
    },
    "pgroundwork migrate",
  );
}

async function adopt(
  client: Client,
  files: readonly CommittedMigration[],
  options: BaselineOptions,
): Promise<Baseline> {
  const { connection, folder, acceptDifferences = false, runId } = options;
  const wanted = await requireUntracked(client, files, options);
  const compared = await compare(client, wanted, options);
  if (compared.differences.length > 0 && !acceptDifferences) return compared;
  options.signal?.throwIfAborted();
  await prepareTables(client, await openGraphileSession(folder, connection), connection);
  await record(client, folder, wanted, provenance(runId));
  return { ...compared, recorded: true };
}

/** The files that are to be recorded; nothing may be recorded yet. */
async function requireUntracked(
  client: Client,
  files: readonly CommittedMigration[],
  { connection, folder, to }: BaselineOptions,
): Promise<CommittedMigration[]> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  const count = status.applied.length;
  if (count > 0) {
    throw new OperationError(
      `${describeConnection(connection)} has ${count} ${count === 1 ? "migration" : "migrations"} recorded already.`,
      {
        remedy: "A baseline is for a database where none is; `migrate status` shows what is pending.",
        exitCode: exitCode.notAllowed,
      },
    );
  }
  requireNoProblems(status.problems);
  const wanted = upTo(files, files, to);
  if (wanted.length > 0) return wanted;
  throw new OperationError(`${folder} has no committed migrations to record.`, { exitCode: exitCode.usage });
}

async function compare(
  client: Client,
  wanted: readonly CommittedMigration[],
  { connection, admin, folder }: BaselineOptions,
): Promise<Baseline> {
  const otherTools = await findOtherTools(client);
  const { objects, differences } = await compareWithFiles(connection, admin, folder, wanted);
  return {
    files: wanted.map(({ filename }) => filename),
    recorded: false,
    objects,
    differences: differences.filter((difference) => !isOtherTools(difference, otherTools)),
    otherTools,
  };
}

/** Both records of all files, in one transaction. */
async function record(
  client: Client,
  folder: string,
  files: readonly CommittedMigration[],
  { host, kitVersion, runId }: Provenance,
): Promise<void> {
  await inTransaction(client, async () => {
    for (const { filename, trackingName, hash, previousHash, sha256 } of files) {
      const downSha256 = downFileSha256(folder, filename);
      await client.query(
        `with tracked as (
           insert into graphile_migrate.migrations (hash, previous_hash, filename) values ($2, $3, $4)
         )
         insert into pgroundwork.migration_ledger
           (filename, direction, hash, sha256, down_sha256, host, kit_version, run_id, started_at, finished_at, outcome)
         values ($1, 'up', $2, $5, $6, $7, $8, $9::uuid, now(), now(), 'baseline')`,
        [filename, hash, previousHash, trackingName, sha256, downSha256, host, kitVersion, runId],
      );
    }
  });
}
