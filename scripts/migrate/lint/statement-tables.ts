/**
 * Tables and indexes that a statement creates or changes, by name: `orders`, or `audit.orders` outside the schema
 * public.
 */
export interface StatementTables {
  /** Tables and indexes that did not exist before. */
  made: string[];
  /** Tables that are changed, indexed or dropped, and indexes that are dropped. */
  changed: string[];
}

interface Relation {
  schemaname?: string;
  relname: string;
}

interface Item {
  String: { sval: string };
}

/** The part of libpg-query's tree that is used here. */
interface Tree {
  CreateStmt?: { relation: Relation; if_not_exists?: boolean };
  CreateTableAsStmt?: { into: { rel: Relation }; if_not_exists?: boolean };
  IndexStmt?: { idxname?: string; relation: Relation; if_not_exists?: boolean };
  AlterTableStmt?: { relation: Relation };
  RenameStmt?: { relation?: Relation };
  ReindexStmt?: { relation?: Relation };
  ClusterStmt?: { relation?: Relation };
  VacuumStmt?: { rels?: { VacuumRelation: { relation: Relation } }[] };
  TruncateStmt?: { relations: { RangeVar: Relation }[] };
  DropStmt?: { removeType: string; objects: { List?: { items: Item[] } }[] };
}

/**
 * Parses one statement with the server's own parser.
 *
 * @returns undefined for a statement that cannot be parsed
 */
export async function statementTables(sql: string): Promise<StatementTables | undefined> {
  const { parse } = await import("libpg-query");
  const parsed = await parse(sql).catch(() => undefined);
  return parsed === undefined ? undefined : tablesOf((parsed.stmts?.[0]?.stmt ?? {}) as Tree);
}

function tablesOf(tree: Tree): StatementTables {
  const create = tree.CreateStmt ?? tree.CreateTableAsStmt;
  if (create !== undefined) {
    const relation = "relation" in create ? create.relation : create.into.rel;
    return { made: create.if_not_exists === true ? [] : [nameOf(relation)], changed: [] };
  }
  if (tree.IndexStmt !== undefined) {
    const { idxname, relation, if_not_exists } = tree.IndexStmt;
    const index = idxname === undefined ? [] : [nameOf({ ...relation, relname: idxname })];
    return { made: if_not_exists === true ? [] : index, changed: [nameOf(relation)] };
  }
  if (tree.TruncateStmt !== undefined) {
    return { made: [], changed: tree.TruncateStmt.relations.map(({ RangeVar }) => nameOf(RangeVar)) };
  }
  if (tree.VacuumStmt !== undefined) {
    return {
      made: [],
      changed: (tree.VacuumStmt.rels ?? []).map(({ VacuumRelation }) => nameOf(VacuumRelation.relation)),
    };
  }
  if (tree.DropStmt !== undefined) return { made: [], changed: dropped(tree.DropStmt) };
  const { relation } = tree.AlterTableStmt ?? tree.RenameStmt ?? tree.ReindexStmt ?? tree.ClusterStmt ?? {};
  return { made: [], changed: relation === undefined ? [] : [nameOf(relation)] };
}

function dropped({ removeType, objects }: NonNullable<Tree["DropStmt"]>): string[] {
  if (removeType !== "OBJECT_TABLE" && removeType !== "OBJECT_INDEX") return [];
  return objects.map(({ List }) => {
    const names = List?.items.map(({ String: { sval } }) => sval) ?? [];
    const schemaname = names.at(-2);
    return nameOf({ relname: names.at(-1) ?? "", ...(schemaname === undefined ? {} : { schemaname }) });
  });
}

function nameOf({ schemaname, relname }: Relation): string {
  return schemaname === undefined || schemaname === "public" ? relname : `${schemaname}.${relname}`;
}

/**
 * Returns the offset at which the server's own parser stops (in characters from 0), with its message; undefined if the
 * text has no syntax error.
 */
export async function syntaxFault(sql: string): Promise<{ offset: number; message: string } | undefined> {
  const { parse } = await import("libpg-query");
  try {
    await parse(sql);
    return undefined;
  } catch (error) {
    const { sqlDetails } = error as { sqlDetails?: { message: string; cursorPosition: number } };
    if (sqlDetails === undefined) throw error;
    return { offset: sqlDetails.cursorPosition, message: sqlDetails.message };
  }
}
