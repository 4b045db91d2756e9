import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isOwn, isTable, names, tables } from "./catalog-queries.ts";
import { keysAndIndexesOf, listPath, listText, staleListAdvice } from "./keys-and-indexes.ts";
import { type MigratedDatabase, startMigratedDatabase } from "./migrated-database.ts";

/*
 * A database's schema.test.ts calls `describeSchemaRules("name", { tables: { … } })` with the tables that it must have.
 * Its keys, NOT NULL columns and indexes are those of keys-and-indexes.json, which the test creates if it is missing.
 * Separate tests in the same file check rules of this database alone (numbers and kinds of indexes). The trigger
 * function for updated_at is called set_updated_at.
 */

/** Facts of a database's schema. */
export interface SchemaFacts {
  /** Names of all tables, separated by spaces, in groups. The names of the groups are only for readers. */
  tables: Record<string, string>;
  /** Names of indexes that must exist, separated by spaces. */
  indexes?: string;
  /** Tables on which the app role has SELECT and INSERT at most, separated by spaces. Their partitions are included. */
  appendOnly?: string;
  /** Functions with the owner's rights (SECURITY DEFINER) that other roles may call, in the format of regprocedure. */
  definerFunctionsForAll?: readonly string[];
  /** Names of functions without the owner's rights that only the owner may call, separated by spaces. */
  ownerFunctions?: string;
}

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

/** Defines the tests of the rules that every schema follows. */
export function describeSchemaRules(name: string, facts: SchemaFacts): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name);
  });
  afterAll(() => database?.stop());

  const found = (sql: string) => names(database.migrator, sql);

  describe("keys, NOT NULL columns and indexes", () => {
    it("are those of the committed list", async () => {
      const list = listText(await keysAndIndexesOf(database.migrator));
      await expect(list, staleListAdvice(name)).toMatchFileSnapshot(listPath(name));
    });
  });

  describe("tables", () => {
    it("are the requested ones, and those that these need", async () => {
      const asked = Object.values(facts.tables).flatMap(words);
      expect(await tables(database.migrator)).toEqual(asked.sort());
    });

    it("belong to the owner role, as does everything else", async () => {
      const owners = await found(`
        select distinct relowner::regrole::text as name from pg_class where ${isOwn("pg_class")}
        union select proowner::regrole::text from pg_proc where ${isOwn("pg_proc")}`);
      expect(owners).toEqual([`${name}_owner`]);
    });

    it("have a comment, also partitions and views", async () => {
      const silent = await found(`
        select relname as name from pg_class
        where ${isOwn("pg_class")} and relkind in ('r', 'p', 'v', 'm') and obj_description(oid, 'pg_class') is null`);
      expect(silent).toEqual([]);
    });

    it("have a primary key", async () => {
      const keyless = await found(`
        select relname as name from pg_class
        where ${isTable} and not exists (select from pg_index where indrelid = pg_class.oid and indisprimary)`);
      expect(keyless).toEqual([]);
    });

    it("set updated_at by a trigger wherever they have it", async () => {
      const unstamped = await found(`
        select relname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'updated_at'
        where ${isTable} and not exists (
          select from pg_trigger join pg_proc on pg_proc.oid = tgfoid where tgrelid = pg_class.oid and proname = 'set_updated_at')`);
      expect(unstamped).toEqual([]);
    });

    it("use only exact numbers, times with a zone, and jsonb", async () => {
      const inexact = await found(`
        select relname || '.' || attname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
        where ${isTable} and atttypid::regtype::text in
          ('real', 'double precision', 'money', 'timestamp without time zone', 'time with time zone', 'json')`);
      expect(inexact).toEqual([]);
    });

    it("limit the precision of every numeric column", async () => {
      const unbounded = await found(`
        select relname || '.' || attname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
        where ${isTable} and atttypid = 'numeric'::regtype and atttypmod = -1`);
      expect(unbounded).toEqual([]);
    });

    it("have no constraint that is not validated", async () => {
      const loose = await found(
        "select conname as name from pg_constraint where connamespace = 'public'::regnamespace and not convalidated",
      );
      expect(loose).toEqual([]);
    });
  });

  describe("indexes", () => {
    it("include those requested by name", async () => {
      const there = await found("select indexrelid::regclass::text as name from pg_index");
      expect(there).toEqual(expect.arrayContaining(words(facts.indexes ?? "")));
    });

    it("cover every foreign key", async () => {
      const unindexed = await found(`
        select conname as name from pg_constraint join pg_class on pg_class.oid = conrelid
        where contype = 'f' and ${isTable} and not exists (
          select from pg_index
          where indrelid = conrelid and indisvalid
            and (indpred is null or pg_get_expr(indpred, indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
            and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)`);
      expect(unindexed).toEqual([]);
    });

    it("have no duplicates", async () => {
      const twice = await found(`
        select indrelid::regclass || ': ' || string_agg(indexrelid::regclass::text, ', ') as name
        from pg_index join pg_class on pg_class.oid = indrelid
        where relnamespace = 'public'::regnamespace
        group by indrelid, indkey::text, indclass::text, indoption::text, pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid),
          (select relam from pg_class where oid = indexrelid)
        having count(*) > 1`);
      expect(twice).toEqual([]);
    });

    it("are all valid", async () => {
      expect(await found("select indexrelid::regclass::text as name from pg_index where not indisvalid")).toEqual([]);
    });
  });

  describe("privileges", () => {
    it("of the app role on append-only tables and their partitions are at most read and insert", async () => {
      const appendOnly = words(facts.appendOnly ?? "");
      expect(await tables(database.migrator)).toEqual(expect.arrayContaining(appendOnly));
      const { rows } = await database.migrator.query(
        `select relname || ' ' || privilege_type as wide from unnest($1::text[]) as listed,
           lateral (select listed::regclass::oid as relid union select relid from pg_partition_tree(listed::regclass)) as part
         join pg_class on oid = relid, aclexplode(relacl) as acl
         where acl.grantee = $2::regrole and privilege_type not in ('SELECT', 'INSERT')`,
        [appendOnly, `${name}_app`],
      );
      expect(rows).toEqual([]);
    });

    it("let only the owner run functions for the owner or with the owner's rights", async () => {
      const ownerFunctions = words(facts.ownerFunctions ?? "");
      const there = await found("select distinct proname::text as name from pg_proc");
      expect(there).toEqual(expect.arrayContaining(ownerFunctions));
      const listed = ownerFunctions.map((each) => pg.escapeLiteral(each));
      const open = await found(`
        select distinct pg_proc.oid::regprocedure::text as name
        from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
        where ${isOwn("pg_proc")} and acl.grantee <> proowner and (prosecdef or proname = any (array[${listed.join(", ")}]::text[]))`);
      expect(open).toEqual([...(facts.definerFunctionsForAll ?? [])].sort());
    });

    it("include a fixed search path for every function", async () => {
      const loose = await found(`
        select pg_proc.oid::regprocedure::text as name from pg_proc
        where ${isOwn("pg_proc")} and not exists (select from unnest(proconfig) as setting where setting like 'search_path=%')`);
      expect(loose).toEqual([]);
    });
  });
}
