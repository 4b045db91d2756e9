import type { Client } from "pg";
import { concurrentIndexOf, indexState } from "./concurrent-index.ts";

/**
 * Outcome of a statement that ran outside a transaction and whose end is not known, according to the catalog.
 * - done: the object that it creates exists, or the object that it drops is gone.
 * - notDone: it did not take effect, or only in part. Running it again does all of its work.
 * - repeatable: the catalog does not show it, and running it again does no harm.
 * - unknown: the catalog does not show it.
 */
export type StatementOutcome = "done" | "notDone" | "repeatable" | "unknown";

interface Name {
  String?: { sval?: string };
}

/** The part of libpg-query's nodes that is used here, for statements that cannot run in a transaction. */
interface Statement {
  DropStmt?: { removeType?: string; objects?: { List?: { items?: Name[] } }[] };
  AlterEnumStmt?: { typeName?: Name[]; newVal?: string; oldVal?: string };
  AlterTableStmt?: {
    relation?: { schemaname?: string; relname: string };
    cmds?: { AlterTableCmd?: { subtype?: string; def?: { PartitionCmd?: { name?: Relation } } } }[];
  };
  VacuumStmt?: object;
  ReindexStmt?: object;
  RefreshMatViewStmt?: object;
  ClusterStmt?: object;
}

interface Relation {
  schemaname?: string;
  relname: string;
}

const repeatable: readonly (keyof Statement)[] = ["VacuumStmt", "ReindexStmt", "RefreshMatViewStmt", "ClusterStmt"];

/** Checks in the catalog if a statement did its work. */
export async function statementOutcome(client: Client, sql: string): Promise<StatementOutcome> {
  const index = await concurrentIndexOf(sql);
  if (index !== undefined) {
    if (index.name === undefined) return "unknown";
    return (await indexState(client, index)) === "valid" ? "done" : "notDone";
  }
  const statement = await parseOne(sql);
  if (statement === undefined) return "unknown";
  if (repeatable.some((kind) => statement[kind] !== undefined)) return "repeatable";
  if (statement.DropStmt?.removeType === "OBJECT_INDEX")
    return droppedIndexes(client, statement.DropStmt.objects ?? []);
  if (statement.AlterEnumStmt !== undefined) return enumValue(client, statement.AlterEnumStmt);
  if (statement.AlterTableStmt !== undefined) return detachedPartition(client, statement.AlterTableStmt);
  return "unknown";
}

async function parseOne(sql: string): Promise<Statement | undefined> {
  const { parse } = await import("libpg-query");
  const parsed = await parse(sql).catch(() => undefined);
  return parsed?.stmts?.length === 1 ? (parsed.stmts[0]?.stmt as Statement | undefined) : undefined;
}

async function droppedIndexes(
  client: Client,
  objects: NonNullable<NonNullable<Statement["DropStmt"]>["objects"]>,
): Promise<StatementOutcome> {
  const names = objects.map((object) => qualified(client, object.List?.items ?? []));
  const { rows } = await client.query<{ there: number }>(
    "select count(to_regclass(name))::int as there from unnest($1::text[]) as dropped(name)",
    [names],
  );
  const there = rows[0]?.there ?? names.length;
  if (there === 0) return "done";
  return there === names.length ? "notDone" : "unknown";
}

/** Checks ALTER TYPE … ADD VALUE. A statement that renames a value runs in a transaction. */
async function enumValue(
  client: Client,
  { typeName = [], newVal, oldVal }: NonNullable<Statement["AlterEnumStmt"]>,
): Promise<StatementOutcome> {
  if (newVal === undefined || oldVal !== undefined) return "unknown";
  const { rows } = await client.query<{ there: boolean }>(
    "select exists (select from pg_enum where enumtypid = to_regtype($1) and enumlabel = $2) as there",
    [qualified(client, typeName), newVal],
  );
  return rows[0]?.there === true ? "done" : "notDone";
}

async function detachedPartition(
  client: Client,
  { relation, cmds = [] }: NonNullable<Statement["AlterTableStmt"]>,
): Promise<StatementOutcome> {
  const partition = cmds[0]?.AlterTableCmd?.def?.PartitionCmd?.name;
  if (cmds.length !== 1 || cmds[0]?.AlterTableCmd?.subtype !== "AT_DetachPartition") return "unknown";
  if (relation === undefined || partition === undefined) return "unknown";
  const { rows } = await client.query<{ there: boolean; pending: boolean | null }>(
    `select to_regclass($2) is not null as there, (to_jsonb(i) ->> 'inhdetachpending')::boolean as pending
       from (values (1)) as one left join pg_inherits i on inhparent = to_regclass($1) and inhrelid = to_regclass($2)`,
    [ofRelation(client, relation), ofRelation(client, partition)],
  );
  const row = rows[0];
  if (row?.there !== true) return "unknown";
  // A partition that is half detached needs DETACH … FINALIZE, which is another statement.
  if (row.pending === true) return "unknown";
  return row.pending === null ? "done" : "notDone";
}

function ofRelation(client: Client, { schemaname, relname }: Relation): string {
  return qualified(
    client,
    [schemaname, relname].map((sval) => (sval === undefined ? {} : { String: { sval } })),
  );
}

function qualified(client: Client, names: readonly Name[]): string {
  return names
    .flatMap(({ String: name }) => (name?.sval === undefined ? [] : [client.escapeIdentifier(name.sval)]))
    .join(".");
}
