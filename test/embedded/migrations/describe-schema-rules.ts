import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isOwn, isTable, names, tables } from "./catalog-queries.ts";
import { type MigratedDatabase, startMigratedDatabase } from "./migrated-database.ts";

/*
 * A database's schema.test.ts calls `describeSchemaRules("name", { tables: { … } })` with the tables it was asked to have; what is
 * particular to it (numbers of indexes, kinds of them) stands beside, in tests of its own. Its trigger function for updated_at is called
 * set_updated_at.
 */

export interface SchemaFacts {
  /** Names of all tables, parted by spaces, in groups whose names are for the reader. */
  tables: Record<string, string>;
  /** Names of indexes that have to be there, parted by spaces. */
  indexes?: string;
  /** Tables that the app role may read and add to, at most; parted by spaces. Their partitions count with them. */
  appendOnly?: string;
  /** Functions with the owner's rights (SECURITY DEFINER) that other roles are meant to call, as regprocedure prints them. */
  definerFunctionsForAll?: readonly string[];
  /** Names of functions without such rights that nobody but the owner may call all the same; parted by spaces. */
  ownerFunctions?: string;
}

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");

export function describeSchemaRules(name: string, facts: SchemaFacts): void {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase(name);
  });
  afterAll(() => database?.stop());

  const found = (sql: string) => names(database.migrator, sql);

  describe("tables", () => {
    it("are those that were asked for, and those they need beside them", async () => {
      const asked = Object.values(facts.tables).flatMap(words);
      expect(await tables(database.migrator)).toEqual(asked.sort());
    });

    it("belong to the owner role, and so does everything else", async () => {
      const owners = await found(`
        select distinct relowner::regrole::text as name from pg_class where ${isOwn("pg_class")}
        union select proowner::regrole::text from pg_proc where ${isOwn("pg_proc")}`);
      expect(owners).toEqual([`${name}_owner`]);
    });

    it("say what they are for, partitions and views too", async () => {
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

    it("stamp updated_at wherever they have it", async () => {
      const unstamped = await found(`
        select relname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'updated_at'
        where ${isTable} and not exists (
          select from pg_trigger join pg_proc on pg_proc.oid = tgfoid where tgrelid = pg_class.oid and proname = 'set_updated_at')`);
      expect(unstamped).toEqual([]);
    });

    it("have exact numbers, times with a zone, and jsonb only", async () => {
      const inexact = await found(`
        select relname || '.' || attname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
        where ${isTable} and atttypid::regtype::text in
          ('real', 'double precision', 'money', 'timestamp without time zone', 'time with time zone', 'json')`);
      expect(inexact).toEqual([]);
    });

    it("bound every numeric column", async () => {
      const unbounded = await found(`
        select relname || '.' || attname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
        where ${isTable} and atttypid = 'numeric'::regtype and atttypmod = -1`);
      expect(unbounded).toEqual([]);
    });

    it("are held to every constraint: none is left unvalidated", async () => {
      const loose = await found(
        "select conname as name from pg_constraint where connamespace = 'public'::regnamespace and not convalidated",
      );
      expect(loose).toEqual([]);
    });
  });

  describe("indexes", () => {
    it("that were asked for by name are there", async () => {
      const there = await found("select indexrelid::regclass::text as name from pg_index");
      expect(there).toEqual(expect.arrayContaining(words(facts.indexes ?? "")));
    });

    it("stand behind every foreign key", async () => {
      const unindexed = await found(`
        select conname as name from pg_constraint join pg_class on pg_class.oid = conrelid
        where contype = 'f' and ${isTable} and not exists (
          select from pg_index
          where indrelid = conrelid and indisvalid
            and (indpred is null or pg_get_expr(indpred, indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
            and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)`);
      expect(unindexed).toEqual([]);
    });

    it("are never made twice", async () => {
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
    it("of the app role on append-only tables and their partitions are to read and add, at most", async () => {
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

    it("let nobody but the owner run what is the owner's alone or works with the owner's rights", async () => {
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

    it("pin the search path of every function", async () => {
      const loose = await found(`
        select pg_proc.oid::regprocedure::text as name from pg_proc
        where ${isOwn("pg_proc")} and not exists (select from unnest(proconfig) as setting where setting like 'search_path=%')`);
      expect(loose).toEqual([]);
    });
  });
}
