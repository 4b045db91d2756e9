import type { Client } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { scratchHolder } from "../../docker/scratch-holder.ts";
import { lockKeys } from "../../ledger/deployment-lock.ts";
import type { DumpMetadata } from "./metadata.ts";

/** Prefix of databases into which a dump is being loaded. */
export const loadingPrefix = "pgw_loading_";

/** Beginning of the comment on such a database; the process that loads it follows. */
export const loadingComment = "pgroundwork loads a dump into this database: ";

/** Returns the name of a database that a load replaced. It begins with at most 40 characters of the former one. */
export function replacedName(database: string, at: Date): string {
  return `${database.slice(0, 40)}_before_${at.toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
}

/** Returns the beginning of the former name of a replaced database; undefined if it is none. */
export function beginningOfReplaced(name: string): string | undefined {
  return /^(.*)_before_\d{8}T\d{6}Z$/.exec(name)?.[1];
}

/** Effects of loading a dump on a server. */
export interface LoadPlan {
  /** The existing database. undefined if it will be created. */
  existing: { owner: string; tablespace: string; bytes: number; sessions: string[] } | undefined;
  /** Databases that killed loads left. They are incomplete and were never in use. */
  leftovers: string[];
  major: number;
}

/**
 * Finds out what loading a dump into a database will do, and refuses what cannot work. Changes nothing.
 *
 * @param maintenance login to another database of the server
 * @throws OperationError with every obstacle
 */
export async function planLoad(
  maintenance: Connection,
  database: string,
  metadata: Pick<DumpMetadata, "server" | "content" | "id">,
): Promise<LoadPlan> {
  if (["postgres", "template0", "template1"].includes(database)) {
    throw new OperationError(`A dump cannot replace the database "${database}", which the server needs.`, {
      hint: "Load it into another database: --into NAME",
      exitCode: exitCode.usage,
    });
  }
  return withClient(maintenance, async (client) => {
    const server = await readServer(client, database, metadata.content.roles);
    const conflicts = [
      ...(server.major < metadata.server.major
        ? [`the dump is from PostgreSQL ${metadata.server.major}, and this server is ${server.major}, which is older`]
        : []),
      ...(server.mayCreate ? [] : ["this role may not create databases"]),
      ...missingRoles(server.missingRoles),
      ...server.conflicts,
    ];
    if (conflicts.length > 0) {
      throw new OperationError(
        [`The dump ${metadata.id} cannot be loaded:`, ...conflicts.map((text) => `- ${text}`)].join("\n"),
        { hint: "Nothing was changed.", exitCode: exitCode.notAllowed },
      );
    }
    const { major, existing } = server;
    return { major, existing: existing ?? undefined, leftovers: await findLeftovers(client) };
  });
}

interface Server {
  major: number;
  mayCreate: boolean;
  missingRoles: string[];
  conflicts: string[];
  existing: LoadPlan["existing"] | null;
}

async function readServer(client: Client, database: string, roles: readonly string[]): Promise<Server> {
  const { rows } = await client.query<Server>(
    `select current_setting('server_version_num')::int / 10000 as major,
            (select rolsuper or rolcreatedb from pg_roles where rolname = current_user) as "mayCreate",
            array(select name from unnest($2::text[]) as name where not exists (
                    select from pg_roles where rolname = name)) as "missingRoles",
            array(select format('the database has the logical replication slot "%s"; drop it first', slot_name)
                    from pg_replication_slots where database = $1
                  union all
                  select format('the database has the prepared transaction "%s"; commit it or roll it back first', gid)
                    from pg_prepared_xacts where database = $1
                  union all
                  select format('the database has the subscription "%s"; drop it first', subname)
                    from pg_subscription join pg_database d on d.oid = subdbid where datname = $1
                  union all
                  select format('the database has a running deployment (pid %s); wait for its end', min(l.pid))
                    from pg_locks l join pg_database d on d.oid = l.database
                   where datname = $1 and locktype = 'advisory' and granted and objsubid = 1
                     and (classid::bigint << 32) | objid::bigint = any ($3::bigint[])
                  having count(*) > 0) as conflicts,
            (select json_build_object('owner', pg_get_userbyid(datdba), 'tablespace', spcname,
                                      'bytes', pg_database_size(d.oid),
                                      'sessions', array(
                      select format('%s (%s)', coalesce(nullif(application_name, ''), 'unnamed'), usename)
                        from pg_stat_activity where datname = $1 and backend_type = 'client backend' order by 1))
               from pg_database d join pg_tablespace t on t.oid = dattablespace where datname = $1) as existing`,
    [database, [...roles], [...lockKeys]],
  );
  const [found] = rows;
  if (found === undefined) throw new Error("the server did not describe itself");
  return found;
}

function missingRoles(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  return [
    `this server does not have its roles ${names.join(", ")}; \`up\` creates those of a stack, globals.sql the others`,
  ];
}

/** Finds databases that killed loads left. */
async function findLeftovers(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; comment: string }>(
    `select datname as name, coalesce(shobj_description(oid, 'pg_database'), '') as comment
       from pg_database where starts_with(datname, $1)`,
    [loadingPrefix],
  );
  const left: string[] = [];
  for (const { name, comment } of rows) {
    if (!comment.startsWith(loadingComment)) continue;
    if ((await scratchHolder(comment.slice(loadingComment.length))) === "gone") left.push(name);
  }
  return left;
}
