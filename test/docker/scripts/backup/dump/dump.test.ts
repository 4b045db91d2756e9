import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDump, type DumpOptions, type DumpSource } from "../../../../../scripts/backup/dump/create.ts";
import { createKey } from "../../../../../scripts/backup/dump/encryption.ts";
import { type LoadOptions, loadDump } from "../../../../../scripts/backup/dump/load.ts";
import { planLoad } from "../../../../../scripts/backup/dump/load-plan.ts";
import { type DueRequest, makeDueDumps } from "../../../../../scripts/backup/dump/make-due.ts";
import { plannedDumps } from "../../../../../scripts/backup/dump/planned.ts";
import { applyRetention, findDump, listDumps } from "../../../../../scripts/backup/dump/store.ts";
import { type ValidateOptions, validateDump } from "../../../../../scripts/backup/dump/validate.ts";
import { withClient } from "../../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../../scripts/connection/connection.ts";
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { pgw } from "../../../../embedded/scripts/cli/commands/migrate/pgw.ts";
import { startServer, type TestServer } from "../../../../embedded/server.ts";
import { canMount, mountDisk, unmountDisk } from "../../../../mounted-disk.ts";
import { writeDump } from "../../../../unit/scripts/backup/dump/metadata.ts";

let server: TestServer;
let folder: string;
/** PATH without any PostgreSQL, so that the programs come from the kit's image. */
const env = { PATH: "/nonexistent" };
const docker = { owner: { project: "pgroundwork", stack: "dumps", owner: "tests" } };

beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("shop");
  await query(
    `create table item (id int generated always as identity primary key, name text not null, price numeric, seen timestamptz default now());
     create table item_note (item int references item, note jsonb);
     create materialized view prices as select sum(price) from item;
     create view cheap as select * from item where price < 5;
     insert into item (name, price) select 'item ' || n, n % 17 from generate_series(1, 500) n;
     insert into item_note select n, jsonb_build_object('n', n) from generate_series(1, 50) n;
     select lo_create(4711)`,
    server.as("migrator", "shop"),
  );
});
afterAll(() => server?.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pgw-dumps-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function query<Row extends object>(sql: string, connection = server.connection("shop")): Promise<Row[]> {
  return withClient(connection, async (client) => (await client.query<Row>(sql)).rows);
}

const source = (database = "shop"): DumpSource => ({
  connection: server.connection(database),
  database,
  name: "local",
  docker,
});

const common = () => ({
  folder,
  compressed: true,
  recipients: [] as string[],
  jobs: 1,
  env,
  signal: new AbortController().signal,
  onStep: () => {},
  restoreCommand: (id: string) => `load ${id}`,
});

function dump(options: Partial<DumpOptions> = {}, database = "shop") {
  const given = {
    kind: "custom",
    scope: "full",
    globals: false,
    reason: "requested",
    ...common(),
    ...options,
  } as const;
  return createDump(source(database), given);
}

async function validate(id: string, options: Partial<ValidateOptions> = {}) {
  const found = await findDump(folder, id, {});
  return validateDump(found, { ...common(), docker, identityFile: undefined, ...options });
}

async function load(id: string, options: Partial<LoadOptions> = {}, database = "shop") {
  const found = await findDump(folder, id, {});
  const maintenance: Connection = server.connection();
  const plan = await planLoad(maintenance, database, found.metadata);
  const given = { ...common(), identityFile: undefined, migrate: undefined, ...options };
  return loadDump(found, source(database), maintenance, plan, given);
}

const states = async () => (await listDumps(folder)).map(({ state, reasons }) => [state, ...reasons]);
const reason = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "no error",
    (error: Error & { hint?: string }) => `${error.message} ${error.hint ?? ""}`.trim(),
  );

describe("a dump", () => {
  it("is made by migrate down of a connection, and brings back what was reverted", async () => {
    await server.createDatabase("pend");
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await pgw(server.as("migrator", "pend"), args, server.connection(), {
        BACKUP_DIR: folder,
      });
      expect(stderr).not.toMatch(/^error/m);
      return { code, answer: JSON.parse(stdout) as Record<string, unknown> };
    };
    expect((await run("migrate", "up", "--json")).code).toBe(0);
    const { answer } = await run("migrate", "down", "--to", "0", "--yes", "--json");
    const [dumped, ...others] = await listDumps(folder);
    expect([dumped?.state, dumped?.metadata?.reason, others]).toEqual(["intact", "before-revert", []]);
    expect(answer.backup).toEqual({
      kind: "dump",
      name: dumped?.id,
      restore: `BACKUP_DIR='${folder}' npm run db:restore -- ${dumped?.id}`,
    });
    expect((await run("migrate", "status", "--json")).code).toBe(4);
    expect((await run("dumps", "load", dumped?.id ?? "", "--yes", "--json")).code).toBe(0);
    expect((await run("migrate", "status", "--json")).code).toBe(0);
  });

  it("has the rows of one moment while others write, and loads with exactly these", async () => {
    let isWriting = true;
    const writer = withClient(server.as("app", "shop"), async (client) => {
      while (isWriting) await client.query("insert into item (name, price) values ('new', 1)");
    });
    try {
      const made = await dump();
      const passed = await validate(made.id);
      expect(passed).toMatchObject({ state: "passed", reasons: [] });
      expect(made.content.tables.map(({ table }) => table)).toEqual(["public.item", "public.item_note"]);
      const [{ count } = { count: 0 }] = await query<{ count: number }>("select count(*)::int as count from item");
      expect(count).toBeGreaterThan(made.content.tables[0]?.rows ?? 0);
    } finally {
      isWriting = false;
      await writer;
    }
  });

  it("in a folder is loaded and compared", async () => {
    const { id, content } = await dump({ kind: "directory", jobs: 2 });
    expect(await validate(id, { jobs: 2 })).toMatchObject({ state: "passed" });
    expect(content).toMatchObject({ largeObjects: 1, roles: ["shop_app", "shop_owner", "shop_readonly"] });
  });

  it("in encrypted SQL needs its key, and the key of another dump does not open it", async () => {
    const [own, other] = [join(folder, "own.key"), join(folder, "other.key")];
    const recipients = [await createKey(own)];
    await createKey(other);
    const { id } = await dump({ kind: "sql", globals: true, recipients });
    const files = (await readdir(join(folder, id))).filter((name) => name.includes(".sql"));
    expect(files).toEqual(["dump.sql.gz.age", "globals.sql.gz.age"]);
    for (const file of files)
      expect((await readFile(join(folder, id, file), "latin1")).startsWith("age-encryption.org/v1")).toBe(true);
    expect(await reason(validate(id))).toContain("The dump is encrypted, and no key was given.");
    expect(await reason(validate(id, { identityFile: other }))).toContain("cannot be decrypted with the key in");
    expect(await validate(id, { identityFile: own })).toMatchObject({ state: "passed" });
  });

  it("is bad, and never listed as good again, if its files are sound but it cannot be loaded", async () => {
    await server.createDatabase("odd");
    await query(
      `create schema helper; create type helper.kind as enum ('a');
       set search_path to public, helper;
       create function first_kind(text) returns text language plpgsql immutable as
         $$ declare k kind := $1; begin return k::text; end $$;
       create table odd (kind text check (first_kind(kind) = 'a')); insert into odd values ('a')`,
      server.connection("odd"),
    );
    const { id } = await dump({}, "odd");
    const result = await validate(id);
    expect(result).toMatchObject({ state: "failed" });
    expect(JSON.stringify(result)).toMatch(/type \\"kind\\" does not exist.*first_kind/s);
    expect(await states()).toEqual([["damaged", expect.stringContaining("it cannot be loaded: pg_restore failed")]]);
  });

  it("is refused if row security hides rows, instead of leaving them out", async () => {
    await server.createDatabase("hidden");
    await query(
      `create table secret (id int); insert into secret values (1), (2); alter table secret enable row level security;
       alter table secret force row level security; create policy one on secret using (id = 1)`,
      server.as("migrator", "hidden"),
    );
    const made = createDump(
      { ...source("hidden"), connection: server.as("migrator", "hidden") },
      { kind: "custom", scope: "full", globals: false, reason: "requested", ...common() },
    );
    expect(await reason(made)).toMatch(/row-level security policy/);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("planned dumps", () => {
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
  // Once a year: yesterday.
  const schedule = `0 0 ${daysAgo(1).getUTCDate()} ${daysAgo(1).getUTCMonth() + 1} *`;
  const plan = { schedule, retentionDays: 5, recipients: [], schemaOnly: { schedule, retentionDays: 50 } };
  const make = (onMade: DueRequest["onMade"] = () => {}) =>
    makeDueDumps({
      ...common(),
      ...{ source: "local", retentionDays: 100, planned: plannedDumps(plan, ["shop"]), onMade },
      targetOf: async (database) => ({ source: source(database), restoreCommand: (id) => `load ${id}` }),
    });

  it("are made with and without rows if they are due, by one process at a time, and expire by their own plan", async () => {
    const scheduled = { reason: "scheduled" } as const;
    const schema = { ...scheduled, scope: "schema" } as const;
    const requested = await writeDump(folder, daysAgo(30));
    const expired = [await writeDump(folder, daysAgo(31), scheduled), await writeDump(folder, daysAgo(60), schema)];
    await writeDump(folder, daysAgo(30), schema);
    const made: string[] = [];
    const both = await Promise.all([make(({ id }) => made.push(id)), make(({ id }) => made.push(id))]);
    expect(both.map(({ outcome }) => outcome).toSorted()).toEqual(["busy", "made"]);
    expect(both.find(({ outcome }) => outcome === "made")).toMatchObject({
      dumps: [
        { id: made[0], scope: "full", reason: "scheduled", kind: "custom", recipients: [] },
        { id: made[1], scope: "schema", reason: "scheduled", restore: `load ${made[1]}` },
      ],
      removed: expired,
    });
    expect(await states()).toEqual([["intact"], ["intact"], ["intact"], ["intact"]]);
    expect((await listDumps(folder)).map(({ id }) => id)).toContain(requested);
    expect(await validate(made[1] ?? "")).toMatchObject({ state: "passed" });
    expect((await findDump(folder, "latest", {})).id).toBe(made[0]);
    expect(await make()).toMatchObject({ outcome: "not due", later: [{ newest: made[0] }, { newest: made[1] }] });
    // Only the checksum shows that this byte was changed.
    const path = join(folder, made[1] ?? "", "dump.pgdump");
    const bytes = await readFile(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await make()).toMatchObject({ outcome: "made", dumps: [{ scope: "schema" }] });
  });
});

describe("a dump that does not end", () => {
  /** Lists the containers of dumps. */
  const containers = () => dockerClient().listContainers({ filters: { label: ["pgroundwork.stack=dumps"] } });

  it("is never listed as good if its process is killed; the next dump removes what it left", async () => {
    const program = join(import.meta.dirname, "dump-process.ts");
    const args = [program, JSON.stringify(source().connection), folder];
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    const closed = once(child, "close");
    // A table that the dump has to wait for.
    await withClient(server.connection("shop"), async (client) => {
      await client.query("begin; lock item_note in access exclusive mode");
      await once(child.stdout, "data");
      while ((await readdir(folder)).length === 0) await sleep(50);
      child.kill("SIGKILL");
      await closed;
    });
    expect(await states()).toEqual([["unfinished", "it was not completed"]]);
    for (let look = 0; look < 100 && (await containers()).length > 0; look++) await sleep(200);
    expect(await containers()).toEqual([]);
    const made = await dump({ scope: "schema" });
    await applyRetention(folder, made, { days: 30 }, new Date());
    expect(await states()).toEqual([["intact"]]);
  });

  it.runIf(canMount())("leaves nothing on a full disk, and says so", async () => {
    const small = join(folder, "small");
    await mkdir(small);
    mountDisk(small, "size=64k");
    try {
      expect(await reason(dump({ folder: small, compressed: false }))).toMatch(
        /could not be written to .*small: ENOSPC.* Nothing is left there.*BACKUP_DIR/,
      );
      expect(await readdir(small)).toEqual([]);
    } finally {
      unmountDisk(small);
    }
  });
});

describe("loading a dump", () => {
  it("replaces the database with its privileges and settings, ends its sessions, and can be reverted", async () => {
    await server.createDatabase("till");
    const till = server.connection("till");
    await query("create table sale (id int); insert into sale values (1), (2)", server.as("migrator", "till"));
    await query(
      `alter database till set search_path to "$user", public, pg_temp; alter role till_app in database till set work_mem to '7MB';
       alter database till connection limit 17; comment on database till is 'the till''s'`,
    );
    const properties = () =>
      query(
        `select datacl::text[] as acl, datconnlimit, pg_get_userbyid(datdba) as owner, shobj_description(oid, 'pg_database') as comment,
                (select json_agg(json_build_object('role', setrole, 'config', setconfig) order by setrole)
                   from pg_db_role_setting where setdatabase = d.oid) as settings
           from pg_database d where datname = 'till'`,
      );
    const before = await properties();
    const { id } = await dump({}, "till");
    await query("delete from sale; insert into sale values (3)", till);
    const ended = withClient(server.as("app", "till"), async (client) => client.query("select pg_sleep(60)"));
    const outcome = reason(ended);
    const loaded = await load(id, {}, "till");
    expect(await outcome).toMatch(/terminat/);
    expect(loaded).toMatchObject({ tables: 1, rows: 2, terminated: 1, migrated: 0 });
    expect(await query("select id from sale order by id", server.as("readonly", "till"))).toEqual([
      { id: 1 },
      { id: 2 },
    ]);
    expect(await properties()).toEqual(before);
    // The dump of the replaced database has the row that was written after the first dump.
    await load(loaded.previous?.id ?? "", {}, "till");
    expect(await query("select id from sale", till)).toEqual([{ id: 3 }]);
    const left = await query("select datname from pg_database where datname like 'till\\_%' or datname like 'pgw\\_%'");
    expect(left).toEqual([]);
  });

  it("leaves the database as it was if the load, the comparison or a migration fails", async () => {
    await server.createDatabase("kiosk");
    await query("create table sale (id int); insert into sale values (1)", server.as("migrator", "kiosk"));
    const { id } = await dump({}, "kiosk");
    const kept = async () => [
      await query("select id from sale", server.connection("kiosk")),
      await query("select datname from pg_database where datname like 'kiosk\\_%' or datname like 'pgw\\_%'"),
    ];
    const migrate = () => Promise.reject(new Error("no such file"));
    expect(await reason(load(id, { migrate }, "kiosk"))).toContain("no such file");
    expect(await kept()).toEqual([[{ id: 1 }], []]);
    const found = await findDump(folder, id, {});
    found.metadata.content.tables = [{ table: "public.sale", rows: 2, checksum: "0" }];
    const plan = await planLoad(server.connection(), "kiosk", found.metadata);
    const given = { ...common(), identityFile: undefined, migrate: undefined };
    expect(await reason(loadDump(found, source("kiosk"), server.connection(), plan, given))).toContain(
      "- the table public.sale has 1 rows instead of 2",
    );
    expect(await kept()).toEqual([[{ id: 1 }], []]);
    await query("alter role kiosk_app rename to kiosk_other");
    expect(await reason(load(id, {}, "kiosk"))).toMatch(/does not have its roles kiosk_app/);
    expect(await kept()).toEqual([[{ id: 1 }], []]);
  });
});

describe("a file of a dump that changed", () => {
  it("makes it damaged, whichever byte it is", async () => {
    const { id } = await dump({ scope: "schema" });
    const path = join(folder, id, "dump.pgdump");
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, -1));
    expect(await states()).toEqual([["damaged", expect.stringMatching(/bytes instead of/)]]);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await states()).toEqual([["damaged", "dump.pgdump was changed: its checksum does not match"]]);
    await rm(path);
    expect(await states()).toEqual([["damaged", "dump.pgdump is missing"]]);
    await appendFile(join(folder, id, "metadata.json"), " ");
    const text = await readFile(join(folder, id, "metadata.json"), "utf8");
    await writeFile(join(folder, id, "metadata.json"), text.replace('"database": "shop"', '"database": "ship"'));
    expect(await states()).toEqual([["damaged", "metadata.json is damaged: its digest does not match"]]);
  });
});
