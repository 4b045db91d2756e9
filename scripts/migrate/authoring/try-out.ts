import { basename } from "node:path";
import type { Client } from "pg";
import { type Catalog, readCatalog } from "../../catalog/catalog.ts";
import { compareCatalogs, type Difference } from "../../catalog/compare.ts";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { withScratchDatabase } from "../../scratch/scratch-database.ts";
import { withClient } from "../../target/client.ts";
import type { Connection } from "../../target/connection.ts";
import type { CommittedMigration } from "../committed.ts";
import type { DownFile } from "../down-file.ts";
import { applySettings, type GraphileSession, openGraphileSession } from "../graphile-migrate.ts";
import type { CurrentMigration } from "../graphile-migrate-authoring.ts";
import { replay, replayFile, runAndRecord } from "../replay.ts";
import { draftDownName } from "./draft.ts";

const remedy = "Tried in a scratch database, which is gone again: nothing was written and nothing else was touched.";

export interface TryOut {
  /** The database that the scratch database is to be like. */
  connection: Connection;
  /** Who may make it. */
  admin: Connection;
  folder: string;
  /** What is committed before it. */
  committed: readonly CommittedMigration[];
  migration: CommittedMigration;
  /** What it is made of. */
  current: CurrentMigration;
  /** undefined where it has none, or says that it has none. */
  down: DownFile | undefined;
}

/**
 * Runs a migration in a scratch database, on top of what is committed: up, and where it has a way back down and up again. The schema must be afterwards what it was.
 *
 * @throws SqlFileError where one of them fails; OperationError (something is wrong) with what the way back leaves or takes too much
 */
export async function tryOut({
  connection,
  admin,
  folder,
  committed,
  migration,
  current,
  down,
}: TryOut): Promise<void> {
  await withScratchDatabase({ admin, like: connection }, async (scratch) => {
    await replay(scratch, admin, folder, committed);
    const session = await openGraphileSession(folder, scratch);
    // The parser trims the body; it is the end of the text but for blanks.
    const start = current.text.trimEnd().length - (current.body.length - 1);
    const place = { file: basename(current.path), text: current.text, start };
    await withClient(
      scratch,
      async (client) => {
        await applySettings(client, session);
        const before = await readCatalog(client);
        await replayFile(client, migration, session, place);
        if (down === undefined) return;
        const after = await readCatalog(client);
        await runBack(client, migration, down, session);
        requireEqual(before, await readCatalog(client), `${draftDownName} does not take back what the migration made`);
        await replayFile(client, migration, session, place);
        requireEqual(after, await readCatalog(client), `The migration makes another schema after ${draftDownName}`);
      },
      "pgroundwork scratch",
    );
  });
}

async function runBack(client: Client, migration: CommittedMigration, down: DownFile, session: GraphileSession) {
  const source = { file: draftDownName, text: down.text, start: 0, compile: session.compile };
  const forget = () => client.query("delete from graphile_migrate.migrations where hash = $1", [migration.hash]);
  await runAndRecord(client, source, down, remedy, forget);
}

function requireEqual(expected: Catalog, found: Catalog, what: string): void {
  const differences = compareCatalogs(expected, found);
  if (differences.length === 0) return;
  throw new OperationError([`${what}:`, ...differences.map(describe)].join("\n"), {
    remedy: "Correct the way back, or say in its first line that there is none: --! Irreversible: why",
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
