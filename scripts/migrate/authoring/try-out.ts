import type { Client } from "pg";
import { type Catalog, readCatalog } from "../../catalog/catalog.ts";
import { compareCatalogs, type Difference } from "../../catalog/compare.ts";
import { withClient } from "../../connection/client.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { SqlFileError } from "../../sql/run-sql.ts";
import type { LineOrigin, SqlSource } from "../../sql/sql-error.ts";
import type { CommittedMigration } from "../committed.ts";
import type { DownFile } from "../down-file.ts";
import type { GraphileSession } from "../graphile-migrate.ts";
import type { CurrentMigration } from "../graphile-migrate-authoring.ts";
import { judged, type Replay, replay, replayFile, runAndRecord, type TrialOptions, withReplay } from "../replay.ts";
import { triedOn, versionWarning } from "../schema-drift.ts";
import { draftDownName, draftSource } from "./draft.ts";

const hint =
  "This was a trial in a scratch cluster, which is deleted: no file was written and no other database was changed.";

/** Steps of a trial in which a file fails after an earlier step succeeded, as messages name them. */
const steps = {
  down: {
    title: "The migration ran. Then its down migration failed:",
    hint: "Correct the down migration.",
  },
  again: {
    title: "The migration ran, and its down migration ran. Then the migration failed in its second run:",
    hint: "The down migration probably leaves something that the second run meets, such as rows or a role. Let it revert that, too.",
  },
} as const;

/** A migration to try, and the means to run it. */
export interface TryOut extends TrialOptions {
  /** The migrations that are committed before it. */
  committed: readonly CommittedMigration[];
  migration: CommittedMigration;
  /** The draft that the migration comes from. */
  current: CurrentMigration;
  /** undefined if it has none, or says that it has none. */
  down: DownFile | undefined;
  /** The file and line that each line of the down migration comes from; undefined if nothing is included. */
  downOrigins?: readonly LineOrigin[] | undefined;
}

/**
 * Runs a migration in a scratch cluster, on top of the committed ones. If it has a down migration, it also runs down
 * and up again. The schema must then be the same as before.
 *
 * @returns warnings
 * @throws SqlFileError if one of them fails; OperationError (exit code wrong) that lists what the down migration leaves
 * behind or removes too much; NotTried
 */
export async function tryOut(options: TryOut): Promise<string[]> {
  const { committed, migration } = options;
  return withReplay(options, committed, [migration], async (run) => {
    await replay(run, committed);
    await run.scratch.catchUp();
    await runTrial(run, options).catch((error: unknown) => {
      throw judged(run, error);
    });
    const version = versionWarning(triedOn(run.scratch));
    const skipped = run.skippedHooks.map((hook) => `tried without the hook ${hook}, because it runs a command`);
    return [...run.scratch.warnings, ...(version === undefined ? [] : [version]), ...skipped];
  });
}

async function runTrial(
  { scratch, session }: Replay,
  { migration, current, down, downOrigins }: TryOut,
): Promise<void> {
  const place = draftSource(current);
  await withClient(
    scratch.connection,
    async (client) => {
      const before = await readCatalog(client);
      await replayFile(client, migration, session, place);
      if (down === undefined) return;
      const after = await readCatalog(client);
      const source = { file: draftDownName, text: down.text, start: 0, origins: downOrigins, compile: session.compile };
      await inStep("down", () => runBack(client, migration, { source, down }, session));
      requireEqual(
        before,
        await readCatalog(client),
        `${draftDownName} does not revert everything that the migration created`,
      );
      await inStep("again", () => replayFile(client, migration, session, place));
      const found = await readCatalog(client);
      requireEqual(after, found, `The migration creates a different schema in its second run, after ${draftDownName}`);
    },
    "pgroundwork scratch",
  );
}

/** @throws the error of the work; that of a file says in which step of the trial it failed */
async function inStep(step: keyof typeof steps, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SqlFileError)) throw error;
    const { message, hint: ofFile, file, sqlstate, place, cause } = error;
    const { title, hint } = steps[step];
    throw new SqlFileError(`${title}\n${message}`, `${hint} ${ofFile ?? ""}`.trim(), file, sqlstate, place, cause);
  }
}

async function runBack(
  client: Client,
  migration: CommittedMigration,
  { source, down }: { source: SqlSource; down: DownFile },
  session: GraphileSession,
) {
  const forget = () => client.query("delete from graphile_migrate.migrations where hash = $1", [migration.hash]);
  await runAndRecord(client, source, session, down, hint, forget);
}

function requireEqual(expected: Catalog, found: Catalog, what: string): void {
  const differences = compareCatalogs(expected, found);
  if (differences.length === 0) return;
  throw new OperationError([`${what}:`, ...differences.map(describe)].join("\n"), {
    hint: "Correct the down migration. If the migration cannot be reverted, write this as its first line: --! Irreversible: why",
    exitCode: exitCode.wrong,
  });
}

function describe({ kind, name, what, expected, found }: Difference): string {
  const lines = [expected === undefined ? [] : [`before: ${expected}`], found === undefined ? [] : [`after: ${found}`]];
  const word = { missing: "gone", extra: "left", different: "different" }[what];
  return [`- ${kind} ${name} is ${word}`, ...lines.flat().map((line) => `    ${line.replaceAll("\n", "\n    ")}`)].join(
    "\n",
  );
}
