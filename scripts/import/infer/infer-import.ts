import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { isManyColumns, tooWideHint } from "../run/row-size.ts";
import type { Source } from "../source/source.ts";
import { createSql, dropSql } from "./created-table.ts";
import { inferFromJson } from "./infer-json.ts";
import { inferFromSqlite } from "./infer-sqlite.ts";
import type { InferProgress } from "./inferred-table.ts";
import type { Proposal } from "./proposal.ts";

/** A proposal, with the migration that creates its tables. */
export interface CreationProposal extends Proposal {
  /** SQL that creates the tables, and SQL that drops them. */
  up: string;
  down: string;
}

/**
 * Proposes tables that hold all values of a source exactly, with the map that fills them. Reads all values, and changes
 * nothing.
 *
 * @throws OperationError if the source has no tables, or the target has tables of these names
 */
export async function inferTables(options: {
  connection: Connection;
  source: Source;
  onProgress?: InferProgress;
  signal?: AbortSignal | undefined;
}): Promise<CreationProposal> {
  const { connection, source, onProgress = () => {}, signal } = options;
  const schema = source.declaredSchema();
  const taken = await readRelations(connection);
  const proposal =
    schema === undefined
      ? await inferFromJson(source, [], onProgress, signal)
      : await inferFromSqlite(source, schema, [], onProgress, signal);
  const existing = proposal.tables.map(({ name }) => name).filter((name) => taken.includes(name));
  if (existing.length > 0)
    throw new OperationError(`The target has relations of these names already: ${existing.join(", ")}.`, {
      hint: "Use --infer without --create to import into them. Nothing was written.",
      exitCode: exitCode.notAllowed,
    });
  for (const { name, columns } of proposal.tables)
    if (isManyColumns(columns.length))
      proposal.unsure.push(`${name}: it has ${columns.length} columns. ${tooWideHint}`);
  if (proposal.tables.length === 0)
    throw new OperationError(`${source.path} has no table that can be created.`, {
      hint: proposal.leftOut.join("; ") || "It is empty.",
      exitCode: exitCode.usage,
    });
  return { ...proposal, up: createSql(proposal.tables, proposal.leftOut), down: dropSql(proposal.tables) };
}

/** Names of the relations in the schema in which a migration creates tables. */
async function readRelations(connection: Connection): Promise<string[]> {
  return withClient(
    connection,
    async (client) => {
      const { rows } = await client.query<{ name: string }>(
        "select relname as name from pg_class where relnamespace = current_schema()::regnamespace",
      );
      return rows.map(({ name }) => name);
    },
    "pgroundwork import",
  );
}
