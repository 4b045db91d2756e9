import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, open as openFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { validateDatabase } from "pgroundwork";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { clientConfig } from "../../../../scripts/connection/connection.ts";
import { type ValidateOptions, type Validation, validate } from "../../../../scripts/validate/validate.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { startFilledServer, type TestServer } from "../../server.ts";

let server: TestServer;
let client: pg.Client;
let folder: string;

beforeAll(async () => {
  server = await startFilledServer("validate", async (filled) => {
    await filled.createDatabase("shop");
    const setup = new pg.Client(clientConfig(filled.connection("shop")));
    await setup.connect();
    await setup.query("create extension pg_buffercache; create extension btree_gist");
    await setup.end();
  });
  client = new pg.Client(clientConfig(server.connection("shop")));
  await client.connect();
  folder = await mkdtemp(join(tmpdir(), "validate-"));
  await mkdir(join(folder, "checks"));
});
afterAll(async () => {
  await client?.end();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await client.query("drop schema if exists sales cascade");
  await client.query("drop extension if exists amcheck; select pg_stat_reset()");
  await rm(join(folder, "checks"), { recursive: true });
  await mkdir(join(folder, "checks"));
});

const run = (options: Partial<ValidateOptions> = {}): Promise<Validation> =>
  validate({ connection: server.connection("shop"), folder, ...options });

const outcome = ({ subjects }: Validation, name: string) => subjects.find((each) => each.name === name);

/** Runs statements as the superuser in a schema `sales`. */
async function setUp(...statements: string[]): Promise<void> {
  await client.query("create schema sales; set search_path = sales, public");
  for (const statement of statements) await client.query(statement);
}

/** Makes the catalog say something for a moment, so that the server accepts what it would refuse. */
const withCatalog = (wrong: string, statement: string, right: string) => [wrong, statement, right];

interface Fault {
  title: string;
  setup: string[];
  subject: string;
  code: string;
  level?: "warning";
  detail: string;
  count?: number;
  samples?: object[];
}

const trial: Fault[] = [
  {
    title: "a row without the row that its validated foreign key refers to",
    setup: [
      "create table customer (id int primary key); create table purchase (id int primary key, customer_id int references customer)",
      "insert into customer values (1); insert into purchase values (7, 1), (8, null)",
      "set session_replication_role = replica; insert into purchase values (9, 2); reset session_replication_role",
    ],
    subject: "foreign-keys",
    code: "orphaned-row",
    detail:
      "1 row of sales.purchase refers to no row of sales.customer: purchase_customer_id_fkey, FOREIGN KEY (customer_id) REFERENCES sales.customer(id)",
    count: 1,
    samples: [{ id: "9" }],
  },
  {
    title: "a row that is partly null under MATCH FULL",
    setup: [
      "create table customer (a int, b int, primary key (a, b)); create table purchase (a int, b int, foreign key (a, b) references customer match full)",
      "set session_replication_role = replica; insert into purchase values (1, null); reset session_replication_role",
    ],
    subject: "foreign-keys",
    code: "orphaned-row",
    detail: "1 row of sales.purchase refers to no row of sales.customer",
    samples: [{ ctid: "(0,1)" }],
  },
  {
    title: "a row in a partition without the row that a foreign key of the partitioned table refers to",
    setup: [
      "create table customer (id int primary key); create table purchase (id int, customer_id int references customer) partition by range (id)",
      "create table purchase_1 partition of purchase for values from (0) to (100)",
      "set session_replication_role = replica; insert into purchase values (9, 2); reset session_replication_role",
    ],
    subject: "foreign-keys",
    code: "orphaned-row",
    detail: "1 row of sales.purchase refers to no row of sales.customer",
  },
  {
    title: "a foreign key with NOT VALID that rows break",
    setup: [
      "create table customer (id int primary key); create table purchase (id int primary key, customer_id int)",
      "insert into purchase values (9, 2)",
      "alter table purchase add constraint known foreign key (customer_id) references customer not valid",
    ],
    subject: "foreign-keys",
    code: "orphaned-row",
    detail: "known, FOREIGN KEY (customer_id) REFERENCES sales.customer(id) NOT VALID",
  },
  {
    title: "a foreign key with NOT VALID that all rows satisfy",
    setup: [
      "create table customer (id int primary key); create table purchase (id int primary key, customer_id int)",
      "alter table purchase add constraint known foreign key (customer_id) references customer not valid",
    ],
    subject: "foreign-keys",
    code: "unvalidated-constraint",
    level: "warning",
    detail: "All rows of sales.purchase satisfy known, but it was added with NOT VALID",
  },
  {
    title: "a check with NOT VALID that rows break",
    setup: [
      "create table item (id int primary key, price int); insert into item values (1, 5), (2, -1), (3, null)",
      "alter table item add constraint positive check (price > 0) not valid",
    ],
    subject: "constraints",
    code: "violated-constraint",
    detail: "1 row of sales.item breaks positive: CHECK ((price > 0)) NOT VALID",
    count: 1,
    samples: [{ id: "2" }],
  },
  {
    title: "a check with NOT VALID that all rows satisfy",
    setup: ["create table item (price int); alter table item add constraint positive check (price > 0) not valid"],
    subject: "constraints",
    code: "unvalidated-constraint",
    level: "warning",
    detail: "All rows of sales.item satisfy positive",
  },
  {
    title: "a check that the catalog holds for validated and rows break",
    setup: [
      "create function cheap(int) returns boolean language sql immutable as 'select $1 < 100'",
      "create table item (id int primary key, price int check (sales.cheap(price))); insert into item values (1, 50)",
      "create or replace function cheap(int) returns boolean language sql immutable as 'select $1 < 10'",
    ],
    subject: "constraints",
    code: "violated-constraint",
    detail: "1 row of sales.item breaks item_price_check: CHECK (sales.cheap(price))",
  },
  {
    title: "a null in a column with NOT NULL",
    setup: [
      "create table item (id int primary key, name text not null)",
      ...withCatalog(
        "update pg_attribute set attnotnull = false where attrelid = 'item'::regclass and attname = 'name'",
        "insert into item values (4, null)",
        "update pg_attribute set attnotnull = true where attrelid = 'item'::regclass and attname = 'name'",
      ),
    ],
    subject: "constraints",
    code: "violated-constraint",
    detail: "1 row of sales.item breaks NOT NULL of name: name NOT NULL",
    samples: [{ id: "4" }],
  },
  {
    title: "a row in the wrong partition",
    setup: [
      "create table reading (id int) partition by range (id); create table reading_1 (id int not null)",
      "insert into reading_1 values (500); alter table reading_1 add constraint bound check (id >= 0 and id < 100) not valid",
      "update pg_constraint set convalidated = true where conname = 'bound'",
      "alter table reading attach partition reading_1 for values from (0) to (100); alter table reading_1 drop constraint bound",
    ],
    subject: "constraints",
    code: "violated-constraint",
    detail: "1 row of sales.reading_1 breaks the bound of the partition: FOR VALUES FROM (0) TO (100)",
  },
  {
    title: "rows with the same unique key",
    setup: [
      "create table item (id int primary key, code text); create unique index item_code on item (lower(code)) where id > 0",
      "insert into item values (1, 'a'), (-1, 'b'), (-2, 'b'), (5, null), (6, null)",
      ...withCatalog(
        "update pg_index set indisunique = false where indexrelid = 'item_code'::regclass",
        "insert into item values (2, 'A')",
        "update pg_index set indisunique = true where indexrelid = 'item_code'::regclass",
      ),
    ],
    subject: "unique",
    code: "duplicate-key",
    detail: "2 rows of sales.item share a key of the unique index sales.item_code",
    count: 2,
    samples: [
      { id: "1", ctid: "(0,1)" },
      { id: "2", ctid: "(0,6)" },
    ],
  },
  {
    title: "two nulls under NULLS NOT DISTINCT",
    setup: [
      "create table item (id int primary key, code text); create unique index item_code on item (code) nulls not distinct",
      "insert into item values (1, null)",
      ...withCatalog(
        "update pg_index set indisunique = false where indexrelid = 'item_code'::regclass",
        "insert into item values (2, null)",
        "update pg_index set indisunique = true where indexrelid = 'item_code'::regclass",
      ),
    ],
    subject: "unique",
    code: "duplicate-key",
    detail: "2 rows of sales.item",
  },
  {
    title: "rows that an exclusion constraint excludes",
    setup: [
      "create table visit (room int, during int4range, constraint no_overlap exclude using gist (room with =, during with &&))",
      "insert into visit values (1, '[1,5)'), (2, '[1,5)'), (1, '[5,9)')",
      ...withCatalog(
        "update pg_index set indisexclusion = false where indexrelid = 'no_overlap'::regclass",
        "insert into visit values (1, '[8,9)')",
        "update pg_index set indisexclusion = true where indexrelid = 'no_overlap'::regclass",
      ),
    ],
    subject: "unique",
    code: "excluded-row",
    detail: "2 rows of sales.visit break the exclusion constraint sales.no_overlap",
    count: 2,
  },
  {
    title: "a sequence that is behind its key",
    setup: ["create table item (id int generated by default as identity primary key); insert into item values (7)"],
    subject: "sequences",
    code: "sequence-behind",
    detail: "The next number of sales.item_id_seq is 1, and sales.item.id has 7 already: INSERTs will fail",
  },
  {
    title: "a sequence of a default that is behind by one",
    setup: [
      "create sequence number; create table item (id bigint primary key default nextval('number'))",
      "select nextval('number'); insert into item values (2)",
    ],
    subject: "sequences",
    code: "sequence-behind",
    detail: "The next number of sales.number is 2, and sales.item.id has 2 already",
  },
  {
    title: "a descending sequence that is behind",
    setup: [
      "create sequence number increment -1; create table item (id int primary key default nextval('number')); insert into item values (-3)",
    ],
    subject: "sequences",
    code: "sequence-behind",
    detail: "The next number of sales.number is -1, and sales.item.id has -3 already",
  },
  {
    title: "a sequence that is behind a column without unique index",
    setup: ["create table item (number serial); insert into item values (9)"],
    subject: "sequences",
    code: "sequence-behind",
    level: "warning",
    detail: "The next number of sales.item_number_seq is 1, and sales.item.number has 9 already",
  },
  {
    title: "an invalid index",
    setup: [
      "create table item (id int); create index item_id on item (id)",
      "update pg_index set indisvalid = false where indexrelid = 'item_id'::regclass",
    ],
    subject: "indexes",
    code: "invalid-index",
    detail: "The index sales.item_id on sales.item is invalid",
  },
  {
    title: "an index that lacks rows of its table",
    setup: [
      "create extension amcheck; create function double(int) returns int language sql immutable as 'select $1 * 2'",
      "create table item (id int); insert into item values (1); create index item_double on item (double(id))",
      "create or replace function double(int) returns int language sql immutable as 'select $1 * 3'",
    ],
    subject: "amcheck",
    code: "damaged-data",
    detail: 'Reading sales.item_double failed: heap tuple (0,1) from table "item" lacks matching index tuple',
  },
  {
    title: "a heap whose rows are older than the catalog says",
    setup: [
      "create extension amcheck; create table item (id int); insert into item values (1)",
      "select pg_current_xact_id(); update pg_class set relfrozenxid = (pg_current_xact_id()::text::bigint)::text::xid where oid = 'item'::regclass",
    ],
    subject: "amcheck",
    code: "damaged-heap",
    detail: "amcheck reports 1 problem of sales.item, first: xmin",
    count: 1,
    samples: [{ block: "0", row: "1" }],
  },
];

describe("validate", () => {
  it.each(trial)("finds $title", async ({ setup, subject, code, level = "error", detail, count, samples }) => {
    await setUp(...setup);
    const found = await run();
    expect(found.findings).toMatchObject([{ code, level, ...(count === undefined ? {} : { count }) }]);
    expect(found.findings[0]?.detail).toContain(detail);
    if (samples !== undefined) expect(found.findings[0]?.samples).toEqual(samples);
    expect(outcome(found, subject)?.state).toBe("found");
  });

  it("finds nothing in a sound database, and counts its rows", async () => {
    await setUp(
      "create extension amcheck",
      "create table customer (id int generated always as identity primary key, name text not null check (name <> ''))",
      "create table purchase (id bigserial, at date, customer_id int references customer, during int4range, primary key (id, at), exclude using gist (id with =, at with =, during with &&)) partition by range (at)",
      "create table purchase_2026 partition of purchase for values from ('2026-01-01') to ('2027-01-01')",
      "create sequence wheel maxvalue 3 cycle; create table turn (id int default nextval('wheel')); insert into turn values (9)",
      "insert into customer (name) values ('Ann'), ('Bob'); insert into purchase (at, customer_id, during) values ('2026-05-01', 1, '[1,2)'), ('2026-06-01', null, null)",
      "create materialized view total as select count(*) from purchase",
    );
    await writeFile(
      join(folder, "checks/010-names.sql"),
      "-- A name is short\nselect id from sales.customer where length(name) < 3;\n",
    );
    const { findings, subjects, tables } = await run();
    expect(findings).toEqual([]);
    expect(subjects.map(({ name, state, unknown }) => ({ name, state, unknown }))).toEqual(
      ["rows", "constraints", "foreign-keys", "unique", "sequences", "indexes", "amcheck", "checksums", "checks"].map(
        (name) => ({ name, state: "ok", unknown: [] }),
      ),
    );
    expect(tables).toEqual([
      { table: "sales.customer", rows: 2 },
      { table: "sales.purchase_2026", rows: 2 },
      { table: "sales.total", rows: 1 },
      { table: "sales.turn", rows: 1 },
    ]);
  });

  it("says of an empty database that there was nothing to examine, and not that it is ok", async () => {
    const { subjects } = await run();
    expect(Object.fromEntries(subjects.map(({ name, state, note }) => [name, `${state}: ${note}`]))).toMatchObject({
      rows: "not available: there is nothing to examine",
      "foreign-keys": "not available: there is nothing to examine",
      amcheck: "not available: the extension amcheck is not installed in this database",
      checks: "not available: the folder checks has no file",
    });
    const [checks] = (await run({ folder: undefined, only: ["checks"] })).subjects;
    expect(checks).toMatchObject({ state: "not available", note: "no folder with checks belongs to this database" });
  });

  it("finds a page that changed on the disk, goes on, and shows the failed checksum", async () => {
    await setUp(
      "create table item (id int, text text); insert into item select n, repeat('x', 500) from generate_series(1, 100) n",
    );
    await setUpMore("create table other (id int primary key); insert into other values (1); checkpoint");
    const { rows } = await client.query<{ path: string }>("select pg_relation_filepath('sales.item') as path");
    await client.query(
      "select pg_buffercache_evict(bufferid) from pg_buffercache where relfilenode = pg_relation_filenode('sales.item')",
    );
    const file = await openFile(join(server.dataDirectory, rows[0]?.path ?? ""), "r+");
    await file.write(randomBytes(64), 0, 64, 8192 + 4000);
    await file.close();
    const found = await run();
    expect(found.findings.map(({ code, objects }) => ({ code, objects }))).toEqual([
      { code: "damaged-data", objects: ["sales.item"] },
      { code: "checksum-failure", objects: ["shop"] },
    ]);
    expect(found.findings[0]?.detail).toContain("invalid page in block 1");
    expect(found.tables).toEqual([{ table: "sales.other", rows: 1 }]);
    expect(outcome(found, "unique")?.state).toBe("ok");
  });

  it("names what a role with fewer rights cannot see, and calls none of it ok", async () => {
    await setUp(
      "create extension amcheck; create table secret (id int generated always as identity primary key check (id > 0)); create table shown (id int primary key)",
      "create table child (id int references secret); create table filtered (id int primary key); alter table filtered enable row level security",
      "grant usage on schema sales to shop_readonly; grant select on shown, child, filtered to shop_readonly",
    );
    await writeFile(join(folder, "checks/secret.sql"), "select * from sales.secret");
    await writeFile(join(folder, "checks/filtered.sql"), "select * from sales.filtered");
    const found = await run({ connection: server.as("readonly", "shop") });
    expect(found.findings).toEqual([]);
    expect(found.tables.map(({ table }) => table)).toEqual(["sales.child", "sales.shown"]);
    const unknown = Object.fromEntries(found.subjects.map(({ name, unknown: reasons }) => [name, reasons]));
    expect(unknown).toMatchObject({
      rows: [
        'role "shop_readonly" has no right to read 1 table: sales.secret',
        'row security hides rows of 1 table from role "shop_readonly": sales.filtered',
      ],
      constraints: [
        "1 condition of sales.filtered: row security hides rows",
        "2 conditions of sales.secret: no right to read it",
      ],
      "foreign-keys": ["child_id_fkey of sales.child: sales.secret: no right to read it"],
      unique: [
        "sales.filtered_pkey on sales.filtered: row security hides rows",
        "sales.secret_pkey on sales.secret: no right to read it",
      ],
      sequences: ["sales.secret_id_seq of sales.secret.id: no right to read it"],
      amcheck: ['role "shop_readonly" has no right to call the functions of amcheck'],
      checks: [
        expect.stringContaining(
          'checks/filtered.sql: role "shop_readonly" has no right to run it (query would be affected by row-level security',
        ),
        'checks/secret.sql: role "shop_readonly" has no right to run it (permission denied for table secret)',
      ],
    });
    for (const name of Object.keys(unknown))
      expect(outcome(found, name)?.state).toBe(["indexes", "checksums"].includes(name) ? "ok" : "unknown");
  });

  it("leaves a locked table unknown after its lock timeout, and examines the others", async () => {
    await setUp("create table held (id int); create table free (id int)", "begin; lock table held");
    try {
      const found = await run({ lockTimeoutMs: 50, only: ["rows"] });
      expect(outcome(found, "rows")?.unknown).toEqual([
        expect.stringContaining("sales.held: a lock was not free within 50 ms"),
      ]);
      expect(found.tables).toEqual([{ table: "sales.free", rows: 0 }]);
    } finally {
      await client.query("rollback");
    }
  });
});

async function setUpMore(...statements: string[]): Promise<void> {
  for (const statement of statements) for (const each of statement.split("; ")) await client.query(each);
}

describe("a check file", () => {
  const check = async (text: string, options: Partial<ValidateOptions> = {}) => {
    await writeFile(join(folder, "checks/010-check.sql"), text);
    return run({ only: ["checks"], ...options });
  };

  it("fails with the first rows that it returns, and is stopped after them", async () => {
    const { findings } = await check(
      "-- Numbers are small.\nselect generate_series(1, 2000000000) as number, null as nothing, repeat('x', 200) as text;",
      { sampleLimit: 2, statementTimeoutMs: 5_000 },
    );
    const text = `${"x".repeat(100)}…`;
    expect(findings).toMatchObject([
      {
        code: "check-violated",
        title: "Numbers are small",
        detail: "checks/010-check.sql returned more than 2 rows: Numbers are small",
        count: null,
        samples: [
          { number: "1", nothing: null, text },
          { number: "2", nothing: null, text },
        ],
      },
    ]);
  });

  it("that the server refuses is an error with file, line and caret", async () => {
    const found = await check("-- Typing error\n\nselect id,\n  nmae from (select 1 as id, 'x' as name) as t");
    expect(outcome(found, "checks")?.state).toBe("found");
    expect(found.findings[0]).toMatchObject({
      code: "check-failed",
      level: "error",
      objects: ["checks/010-check.sql"],
    });
    expect(found.findings[0]?.detail.split("\n").slice(0, 5)).toEqual([
      'checks/010-check.sql:4:3: column "nmae" does not exist',
      "  2 | ",
      "  3 | select id,",
      "  4 |   nmae from (select 1 as id, 'x' as name) as t",
      "    |   ^",
    ]);
  });

  it("cannot write", async () => {
    await setUp("create table item (id int); insert into item values (1)");
    const { findings } = await check(
      "with gone as (delete from sales.item returning id) select id from gone where false",
    );
    expect(findings[0]).toMatchObject({
      code: "check-failed",
      detail: expect.stringContaining("in a read-only transaction"),
      hint: "A check only reads: remove what writes.",
    });
    expect((await client.query("select from sales.item")).rowCount).toBe(1);
  });

  it("that takes too long is unknown", async () => {
    const found = await check("select pg_sleep(30)", { statementTimeoutMs: 100 });
    expect(outcome(found, "checks")).toMatchObject({
      state: "unknown",
      unknown: ["checks/010-check.sql: it did not finish within 100 ms"],
    });
  });

  it.each([
    ["with two queries", "select 1 where false;\nselect 2", /^checks\/010-check\.sql:2:1: a check is one query/],
    ["that is no query", "\ndelete from item", /^checks\/010-check\.sql:2:1: this is no query/],
    ["that is empty", "-- nothing", /^checks\/010-check\.sql: it contains no query/],
    ["that is not UTF-8", Buffer.from([0x73, 0xff]), /^checks\/010-check\.sql: it is not UTF-8/],
  ])("%s is refused before the server is asked", async (_, text, message) => {
    await writeFile(join(folder, "checks/010-check.sql"), text);
    const nowhere = { ...server.connection("shop"), port: 1 };
    await expect(run({ connection: nowhere })).rejects.toMatchObject({
      message: expect.stringMatching(message),
      exitCode: 2,
    });
  });

  it("runs as its own login", async () => {
    const { findings } = await check("select current_user", { checkConnection: server.as("app", "shop") });
    expect(findings[0]?.samples).toEqual([{ current_user: "shop_app" }]);
  });
});

describe("pgw validate", () => {
  /** Runs the command on the database `shop`, without its password in the arguments. */
  async function pgw(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { host, port, user, password } = server.connection();
    const env = { ...process.env, PGPASSWORD: password };
    const command = ["scripts/pgw.ts", "validate", "--url", `postgresql://${user}@${host}:${port}/shop`, ...args];
    return promisify(execFile)(process.execPath, command, { cwd: cloneRoot, env }).then(
      (done) => ({ code: 0, ...done }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  }

  it("prints findings with keys of rows and one line for each subject, and exits with 5 on an error", async () => {
    await setUp(
      "create table item (id int primary key, price int); insert into item select n, -n from generate_series(1, 3) n",
      "alter table item add constraint positive check (price > 0) not valid",
    );
    const { code, stdout } = await pgw("--samples", "2");
    expect(code).toBe(5);
    expect(stdout.split("\n").slice(0, 5)).toEqual([
      "error violated-constraint",
      "  3 rows of sales.item break positive: CHECK ((price > 0)) NOT VALID",
      "    id: 1",
      "    id: 2",
      "    …",
    ]);
    expect(stdout).toContain("/shop: 3 rows in 1 tables\n  ok            rows: 1 tables read and counted\n");
    expect(stdout).toContain("\n  not available amcheck: the extension amcheck is not installed in this database\n");
    expect(stdout).toContain("\n  not available checks: no folder with checks belongs to this database\n");
  });

  it("exits with 4 on a warning, with 5 if a required subject is not available, and prints JSON", async () => {
    await setUp("create table item (price int); alter table item add constraint positive check (price > 0) not valid");
    const [warned, required] = await Promise.all([
      pgw("--only", "constraints", "--json"),
      pgw("--only", "rows,amcheck", "--require", "amcheck"),
    ]);
    expect(warned.code).toBe(4);
    expect(JSON.parse(warned.stdout)).toMatchObject({
      subjects: [{ name: "constraints", state: "found" }],
      findings: [{ code: "unvalidated-constraint", samples: [] }],
    });
    expect(required.code).toBe(5);
    const sound = await pgw("--only", "rows");
    expect(sound.code).toBe(0);
    expect((await pgw("--only", "row")).stderr).toContain('Did you mean "rows"?');
  });

  it("is the function validateDatabase for programs", async () => {
    await setUp("create table item (id int); insert into item values (1)");
    const { tables, subjects } = await validateDatabase({
      connection: server.connection("shop"),
      database: folder,
      only: ["rows", "checks"],
    });
    expect(tables).toEqual([{ table: "sales.item", rows: 1 }]);
    expect(subjects.map(({ name, state }) => [name, state])).toEqual([
      ["rows", "ok"],
      ["checks", "not available"],
    ]);
  });
});
