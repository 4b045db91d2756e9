import pg from "pg";
import { withClient } from "../../scripts/connection/client.ts";
import { type Connection, clientConfig } from "../../scripts/connection/connection.ts";
import { ConnectionError } from "../../scripts/connection/connection-error.ts";

/**
 * Roles that are tested. `owner` cannot log in and is assumed in a superuser's session. `nobody` is a new role without
 * grants (PUBLIC). The others log in.
 */
export const subjects = ["owner", "migrator", "app", "readonly", "monitor", "backup", "nobody"] as const;
export type Subject = (typeof subjects)[number];

/** One cell of the privilege matrix: states if a role may perform an action on an object. */
export interface Cell {
  subject: Subject;
  action: string;
  /** Suffix of the objects from {@link probeObjects}; undefined for an action on the whole database. */
  object: string | undefined;
  allowed: boolean;
}

/** A database to probe, with its connections. */
export interface ProbeTarget {
  /** The superuser's connection to the database. */
  admin: Connection;
  /** Name of the role that owns the database. */
  owner: string;
  logins: Record<Exclude<Subject, "owner" | "nobody">, Connection>;
}

type Attempt = (client: pg.Client, object: string, target: ProbeTarget) => Promise<unknown>;

interface Action {
  allowed: readonly Subject[];
  attempt: Attempt;
}

const owners: readonly Subject[] = ["owner", "migrator"];
const writers: readonly Subject[] = [...owners, "app"];
const readers: readonly Subject[] = [...writers, "readonly"];

const run =
  (...statements: string[]): Attempt =>
  async (client, object) => {
    for (const statement of statements) await client.query(statement.replaceAll("$", object));
  };

/** Actions on the objects of each migration; `$` stands for their suffix. */
const onObjects: Record<string, Action> = {
  "use the schema of the table": { allowed: readers, attempt: run("select 'public.probe_$'::regclass") },
  "select from the table": { allowed: readers, attempt: run("select * from public.probe_$") },
  "insert into the table": { allowed: writers, attempt: run("insert into public.probe_$ values (2, 'new')") },
  "update the table": { allowed: writers, attempt: run("update public.probe_$ set note = 'changed'") },
  "delete from the table": { allowed: writers, attempt: run("delete from public.probe_$") },
  "truncate the table": { allowed: owners, attempt: run("truncate public.probe_$") },
  "reference the table": {
    allowed: owners,
    attempt: run("create table probe_workshop.child (id integer references public.probe_$)"),
  },
  "put a trigger on the table": {
    allowed: owners,
    attempt: run(
      "create trigger probe before update on public.probe_$ for each row execute function suppress_redundant_updates_trigger()",
    ),
  },
  "reindex the table": { allowed: owners, attempt: run("reindex table public.probe_$") },
  "alter the table": { allowed: owners, attempt: run("alter table public.probe_$ add column probed integer") },
  "drop the table": { allowed: owners, attempt: run("drop table public.probe_$ cascade") },
  "draw from the sequence": { allowed: writers, attempt: run("select nextval('public.probe_$_sequence')") },
  "look at the sequence": {
    allowed: ["owner", "migrator", "readonly"],
    attempt: run("select last_value from public.probe_$_sequence"),
  },
  "set the sequence": { allowed: owners, attempt: run("select setval('public.probe_$_sequence', 9)") },
  "call the function": { allowed: writers, attempt: run("select public.probe_$_function()") },
  "call the function that runs as its owner": {
    allowed: writers,
    attempt: run("select public.probe_$_definer()"),
  },
};

/** Actions on the database, tested once. */
const onDatabase: Record<string, Action> = {
  "create a table in the schema": { allowed: owners, attempt: run("create table public.probe_intruder ()") },
  "create a function in the schema": {
    allowed: owners,
    attempt: run("create function public.probe_intruder() returns integer language sql return 1"),
  },
  "create a schema": { allowed: owners, attempt: run("create schema probe_intruder") },
  "create a temporary table": { allowed: owners, attempt: run("create temporary table probe_intruder ()") },
  "create a role": { allowed: [], attempt: run("create role probe_intruder") },
  "become the superuser": { allowed: [], attempt: run("set role postgres") },
  "read a file of the server": { allowed: [], attempt: run("select pg_read_file('PG_VERSION')") },
  "run a program on the server": { allowed: [], attempt: run("copy (select 1) to program 'true'") },
  "read other sessions' queries": { allowed: ["monitor"], attempt: readOthersQuery },
  "read statement statistics in the monitoring schema": {
    allowed: ["monitor"],
    attempt: run(
      "select * from pgroundwork_monitoring.pg_stat_statements",
      "select * from pgroundwork_monitoring.pg_stat_statements_info",
    ),
  },
  "read the records of migrations in the monitoring schema": {
    allowed: ["monitor"],
    attempt: run("select * from pgroundwork_monitoring.migrations()"),
  },
  "read the ledger of migrations": { allowed: owners, attempt: run("select * from pgroundwork.migration_ledger") },
  "create a table in the monitoring schema": {
    allowed: [],
    attempt: run("create table pgroundwork_monitoring.probe_intruder ()"),
  },
  "drop the monitoring schema": { allowed: [], attempt: run("drop schema pgroundwork_monitoring cascade") },
};

/** Actions that need a login: they cannot be tested by assuming a role in another session. */
const withLogins: Record<string, readonly Subject[]> = {
  connect: ["migrator", "app", "readonly", "monitor", "backup"],
  "create a database": [],
  "start replication": ["backup"],
};

/**
 * Returns the SQL of a migration that creates objects for the probes. Run it as the migrator. Each suffix stands for a
 * migration at another time.
 */
export function probeObjects(suffix: string): string {
  return `
    create table public.probe_${suffix} (id integer primary key, note text);
    insert into public.probe_${suffix} values (1, 'old');
    create sequence public.probe_${suffix}_sequence;
    create function public.probe_${suffix}_function() returns integer language sql return 1;
    create function public.probe_${suffix}_definer() returns bigint language sql security definer
      set search_path = '' begin atomic select count(*) from public.probe_${suffix}; end;`;
}

/** Returns the whole matrix for objects with these suffixes. */
export function privilegeCells(objects: readonly string[]): Cell[] {
  const cells = (action: string, allowed: readonly Subject[], object: string | undefined): Cell[] =>
    subjects.map((subject) => ({ subject, action, object, allowed: allowed.includes(subject) }));
  return [
    ...Object.entries(withLogins).flatMap(([action, allowed]) => cells(action, allowed, undefined)),
    ...Object.entries(onDatabase).flatMap(([action, { allowed }]) => cells(action, allowed, undefined)),
    ...objects.flatMap((object) =>
      Object.entries(onObjects).flatMap(([action, { allowed }]) => cells(action, allowed, object)),
    ),
  ];
}

const nobody = "probe_nobody";
const nobodysPassword = "probe-password-of-nobody";

/**
 * Creates what the probes need besides a migration's objects: a role without grants, and a schema in which every role
 * may create objects.
 */
export async function prepareProbes(target: ProbeTarget): Promise<void> {
  await withClient(target.admin, async (client) => {
    await client.query(`create role ${nobody} login password '${nobodysPassword}'`);
    await client.query("create schema probe_workshop; grant usage, create on schema probe_workshop to public");
  });
}

/** Removes the role and the schema again. */
export async function removeProbes(target: ProbeTarget): Promise<void> {
  await withClient(target.admin, (client) =>
    client.query(`drop schema probe_workshop cascade; drop owned by ${nobody}; drop role ${nobody}`),
  );
}

/**
 * Tests one cell and leaves nothing behind. Returns false if the server denies the privilege.
 *
 * @throws Error for any other failure, which says nothing about the privilege
 */
export async function tryCell(target: ProbeTarget, { subject, action, object }: Cell): Promise<boolean> {
  try {
    if (action in withLogins) await tryLogin(target, subject, action);
    else await trySql(target, subject, action, object);
    return true;
  } catch (error) {
    if (isDenial(error)) return false;
    throw error;
  }
}

async function trySql(
  target: ProbeTarget,
  subject: Subject,
  action: string,
  object: string | undefined,
): Promise<void> {
  const attempt = (object === undefined ? onDatabase : onObjects)[action]?.attempt;
  if (attempt === undefined) throw new Error(`there is no probe "${action}"`);
  const assumed = { owner: target.owner, nobody }[subject as "owner" | "nobody"];
  const connection = assumed === undefined ? loginOf(target, subject) : target.admin;
  await withClient(connection, async (client) => {
    // SET SESSION AUTHORIZATION instead of SET ROLE: checks of the session user must see the assumed role, too.
    if (assumed !== undefined) await client.query(`set session authorization ${pg.escapeIdentifier(assumed)}`);
    await client.query("begin");
    await attempt(client, object ?? "", target);
    await client.query("rollback");
  });
}

async function tryLogin(target: ProbeTarget, subject: Subject, action: string): Promise<void> {
  const connection = loginOf(target, subject);
  if (action === "start replication") return startReplication(connection);
  await withClient(connection, async (client) => {
    await client.query("select 1");
    if (action !== "create a database") return;
    await client.query("create database probe_intruder");
    await client.query("drop database probe_intruder");
  });
}

function loginOf(target: ProbeTarget, subject: Subject): Connection {
  // The owner has no password. A login with any password must fail.
  if (subject === "owner") return { ...target.logins.migrator, user: target.owner };
  if (subject === "nobody") return { ...target.admin, user: nobody, password: nobodysPassword };
  return target.logins[subject];
}

/** Opens a physical replication connection without a database name, like `pg_basebackup` and a standby. */
async function startReplication(connection: Connection): Promise<void> {
  const client = new pg.Client({ ...clientConfig(connection), replication: "true" } as pg.ClientConfig);
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("IDENTIFY_SYSTEM");
  } finally {
    await client.end().catch(() => {});
  }
}

async function readOthersQuery(client: pg.Client, _object: string, target: ProbeTarget): Promise<void> {
  await withClient(target.admin, async (other) => {
    const { rows } = await other.query<{ pid: number }>("select pg_backend_pid() as pid");
    const seen = await client.query<{ query: string }>("select query from pg_stat_activity where pid = $1", [
      rows[0]?.pid,
    ]);
    const query = seen.rows[0]?.query;
    if (query === "<insufficient privilege>") throw Object.assign(new Error(query), { code: "42501" });
    if (query !== "select pg_backend_pid() as pid") throw new Error(`another session's query reads ${query}`);
  });
}

/** Returns true for insufficient_privilege and for a refused login. */
function isDenial(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.failure === "denied" || error.failure === "password";
  return ["42501", "28000", "28P01"].includes((error as { code?: string }).code ?? "");
}
