import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { createMonitoring } from "../../../../scripts/databases/monitoring-schema.ts";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { serverRolePlans } from "../../../../scripts/model/privileges.ts";
import { chain, committedFolderOf, type TestFolder } from "../../../unit/scripts/migrate/committed-folder.ts";
import {
  type Cell,
  type ProbeTarget,
  prepareProbes,
  privilegeCells,
  probeObjects,
  removeProbes,
  tryCell,
} from "../../privilege-probes.ts";
import { startServer, type TestServer } from "../../server.ts";

const database = "probed";
const today = { name: "today", body: probeObjects("today") };
const later = { name: "later", body: probeObjects("later") };

let server: TestServer;
let target: ProbeTarget;
let folder: TestFolder;

beforeAll(async () => {
  server = await startServer({ shared_preload_libraries: "pg_stat_statements" });
  await server.createDatabase(database);
  await server.createDatabase("neighbour");
  const loginOf = (role: "monitor" | "backup"): Connection => ({
    ...server.connection(database),
    user: serverRolePlans[role].name,
  });
  target = {
    admin: server.connection(database),
    owner: `${database}_owner`,
    logins: {
      migrator: server.as("migrator", database),
      app: server.as("app", database),
      readonly: server.as("readonly", database),
      monitor: loginOf("monitor"),
      backup: loginOf("backup"),
    },
  };
  folder = await committedFolderOf([today]);
  const migrate = () => applyMigrations({ connection: target.logins.migrator, folder: folder.folder });
  await migrate();
  const [, second] = chain([today, later]);
  if (second === undefined) throw new Error("there is no second migration");
  await folder.write(second.filename, second.text);
  await migrate();
  const monitoring = { monitor: serverRolePlans.monitor.name, owner: target.owner };
  await withClient(target.admin, (client) => createMonitoring(client, monitoring));
  await prepareProbes(target);
});
afterAll(async () => {
  await folder?.remove();
  await server?.stop();
});

const objectName: Record<string, string> = { today: "of today's migration", later: "of a later migration" };
const sentence = ({ subject, action, object, allowed }: Cell) =>
  `${subject} ${allowed ? "can" : "cannot"} ${action}${object === undefined ? "" : ` ${objectName[object]}`}`;

describe("the matrix of roles and privileges", () => {
  it.each(privilegeCells(["today", "later"]).map((cell) => [sentence(cell), cell] as const))("%s", async (_, cell) => {
    expect(await tryCell(target, cell)).toBe(cell.allowed);
  });
});

describe("the roles of a database", () => {
  it("create objects through the migrator that belong to the owner, which cannot log in", async () => {
    const { rows } = await withClient(target.admin, (client) =>
      client.query(
        `select relname, relowner::regrole::text as owner from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'S') order by 1`,
      ),
    );
    expect(rows).toEqual([
      { relname: "probe_later", owner: "probed_owner" },
      { relname: "probe_later_sequence", owner: "probed_owner" },
      { relname: "probe_today", owner: "probed_owner" },
      { relname: "probe_today_sequence", owner: "probed_owner" },
    ]);
    const login = withClient({ ...target.logins.migrator, user: "probed_owner" }, (client) => client.query("select 1"));
    await expect(login).rejects.toThrow('refuses connections of user "probed_owner" from here');
  });

  it.each(["migrator", "app", "readonly"] as const)("cannot connect to another database as %s", async (role) => {
    const login = withClient({ ...target.logins[role], database: "neighbour" }, (client) => client.query("select 1"));
    await expect(login).rejects.toThrow(`user "probed_${role}" has no CONNECT privilege on database "neighbour"`);
  });

  it("can connect to every database as monitor and backup", async () => {
    for (const role of ["monitor", "backup"] as const) {
      const connection = { ...target.logins[role], database: "neighbour" };
      const { rows } = await withClient(connection, (client) =>
        client.query("select session_user as login, current_database() as database"),
      );
      expect(rows).toEqual([{ login: role, database: "neighbour" }]);
    }
  });

  it("do not get back privileges on an append-only table that its migration revoked", async () => {
    await withClient(target.logins.migrator, (client) =>
      client.query(
        "create table public.probe_log (id integer); revoke update, delete on public.probe_log from probed_app",
      ),
    );
    await withClient(target.logins.app, async (client) => {
      await client.query("insert into public.probe_log values (1)");
      await expect(client.query("delete from public.probe_log")).rejects.toThrow(
        "permission denied for table probe_log",
      );
    });
  });
});

describe("the privilege probes", () => {
  it("leave nothing behind", async () => {
    await removeProbes(target);
    const { rows } = await withClient(target.admin, (client) =>
      client.query(
        `select rolname as name from pg_roles where rolname like 'probe\\_%'
         union all select datname from pg_database where datname like 'probe\\_%'
         union all select nspname from pg_namespace where nspname like 'probe\\_%'
         union all select relname from pg_class where relname like '%intruder%'`,
      ),
    );
    expect(rows).toEqual([]);
    await prepareProbes(target);
  });

  it("report an error that is not a denial", async () => {
    const cell = { subject: "app", action: "select from the table", object: "missing", allowed: true } as const;
    await expect(tryCell(target, cell)).rejects.toThrow('relation "public.probe_missing" does not exist');
  });
});
