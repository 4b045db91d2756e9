import type { Client } from "pg";
import { type Catalog, readCatalog } from "../catalog/catalog.ts";
import type { Difference } from "../catalog/compare.ts";
import { withClient } from "../connection/client.ts";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { requireOwnSession } from "../connection/pooler.ts";
import { inTransaction } from "../connection/session.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { requireUnchanged } from "../core/unchanged.ts";
import { type LockHolder, withDeploymentLock } from "../ledger/deployment-lock.ts";
import { type Provenance, provenance } from "../ledger/provenance.ts";
import { NotTried } from "../scratch/request.ts";
import { type CommittedMigration, downFileSha256, readCommitted } from "./committed.ts";
import { openGraphileSession } from "./graphile-migrate.ts";
import { findOtherTools, isOtherTools, type OtherTool } from "./other-tools.ts";
import type { TrialOptions } from "./replay.ts";
import { prepareTables } from "./run-pending.ts";
import { compareWithFiles, type TriedOn, versionWarning } from "./schema-drift.ts";
import { upTo } from "./selection.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

/** Options of {@link baseline}. */
export interface BaselineOptions extends TrialOptions {
  /** True if the database belongs to a stack that holds real data. */
  protected?: boolean | undefined;
  /** The last file whose objects exist, by number or name. Omit for all files. */
  to?: string | undefined;
  /** Record the files even if the schema differs from what they create. */
  acceptDifferences?: boolean | undefined;
  /** Compare, and record nothing. */
  dryRun?: boolean | undefined;
  onWait?: (holder: LockHolder) => void;
  runId?: string;
}

/** Result of {@link baseline}. */
export interface Baseline {
  /** The files whose objects must exist, in order. */
  files: string[];
  /** True if the files were recorded. False for a dry run, and if the schema differs and this was not accepted. */
  recorded: boolean;
  /** Number of objects that the files create. */
  objects: number;
  /** Differences between the schema and what the files create. Tables of other migration tools are left out. */
  differences: Difference[];
  /** Reason why the comparison was not possible; null if the schema was compared. */
  notCompared: string | null;
  /** Hooks that were skipped because they run commands. */
  skippedHooks: string[];
  otherTools: OtherTool[];
}

/**
 * Adopts a database whose schema was created by other means: records a folder's files as applied, and runs none. Before
 * that, it compares the live schema with what the files create in a scratch cluster.
 *
 * @throws OperationError (exit code notAllowed) if migrations are already recorded; OperationError if the files do not
 * follow their format
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
  const schema = await readCatalog(client);
  const compared = await compare(client, wanted, options);
  const isProven = compared.differences.length === 0 && compared.notCompared === null;
  if (!isProven && !acceptDifferences) return compared;
  options.signal?.throwIfAborted();
  // The deployment lock keeps other deployers out, but not others who change the schema.
  requireSameSchema(connection, schema, await readCatalog(client));
  await prepareTables(client, await openGraphileSession(folder, connection), connection);
  await record(client, folder, wanted, provenance(runId));
  return { ...compared, recorded: true };
}

function requireSameSchema(connection: Connection, compared: Catalog, now: Catalog): void {
  const facts = (catalog: Catalog) =>
    [...catalog.values()].map(({ kind, name, definition }) => `${kind} ${name}: ${definition.replaceAll("\n", " ")}`);
  requireUnchanged(`The schema of ${describeConnection(connection)}`, facts(compared), facts(now));
}

/** Returns the files to record. Throws if anything is recorded already. */
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
      `${describeConnection(connection)} already has ${count} ${count === 1 ? "recorded migration" : "recorded migrations"}.`,
      {
        hint: "A baseline is for a database without recorded migrations. `migrate status` shows what is pending.",
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
  options: BaselineOptions,
): Promise<Baseline> {
  const otherTools = await findOtherTools(client);
  const compared = { files: wanted.map(({ filename }) => filename), recorded: false, otherTools };
  try {
    const { objects, differences, skippedHooks, ...tried } = await compareWithFiles(options, wanted);
    return {
      ...compared,
      objects,
      differences: differences.filter((difference) => !isOtherTools(difference, otherTools)),
      notCompared: doubt(tried, options) ?? null,
      skippedHooks,
    };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof NotTried)) throw error;
    return { ...compared, objects: 0, differences: [], notCompared: error.reason, skippedHooks: [] };
  }
}

/**
 * Returns a warning if a protected database was compared on another major version. There the same files can create
 * another schema, which is no proof for real data.
 */
function doubt(tried: TriedOn, options: BaselineOptions): string | undefined {
  return options.protected === true ? versionWarning(tried) : undefined;
}

/** Writes both records of all files, in one transaction. */
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
