import { chown, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { unlessAbsent } from "../../core/absent.ts";
import { OperationError } from "../../core/operation-error.ts";
import { poll } from "../../core/poll.ts";
import { SocketError } from "../../docker/server/query.ts";
import { temporaryFolder, untilReadyOrEnded } from "../../scratch/embedded-cluster.ts";
import { removeAbandoned, scratchPrefix, writeHolder } from "../../scratch/left-behind.ts";
import { type WatchedServer, watchServer } from "../../scratch/watched-server.ts";
import { serverAccount } from "../../server/account.ts";
import { installBinaries } from "../../server/binaries.ts";
import { superuser } from "../../server/cluster.ts";
import { dataHome } from "../../server/locations.ts";
import type { SocketServer } from "../restore/contents.ts";

/** Time limit for the recovery of an archive, which has the WAL of one backup. */
const recoveryTimeoutMs = 6 * 3_600_000;

/** Time limit for the shutdown, which writes everything to the disk. */
const stopTimeoutMs = 3_600_000;

/**
 * Settings of a server on a restored cluster, whatever its own files say. It is reached by its socket only, archives
 * nothing, starts no extra processes, and runs no triggers of a login. Its recovery ends on a new timeline.
 */
const settings: Readonly<Record<string, string>> = {
  external_pid_file: "",
  listen_addresses: "",
  port: "5432",
  unix_socket_group: "",
  unix_socket_permissions: "0700",
  ssl: "off",
  archive_mode: "off",
  archive_command: "",
  archive_library: "",
  shared_preload_libraries: "",
  session_preload_libraries: "",
  local_preload_libraries: "",
  max_logical_replication_workers: "0",
  event_triggers: "off",
  autovacuum: "off",
  shared_buffers: "64MB",
  huge_pages: "off",
  max_connections: "20",
  // Prepared transactions of the time of the backup need as many slots as the server had then.
  max_prepared_transactions: "2000",
  // With hot_standby, recovery would need limits as high as the live server's.
  hot_standby: "off",
  // All WAL is in the archive.
  restore_command: "false",
  recovery_target_timeline: "current",
  // The copy is kept.
  fsync: "on",
  logging_collector: "off",
  log_destination: "stderr",
  log_line_prefix: "",
  log_min_messages: "warning",
  log_error_verbosity: "default",
  log_statement: "none",
  log_min_duration_statement: "-1",
  // The kit parses the server's messages.
  lc_messages: "C",
  restart_after_crash: "off",
};

/**
 * Starts a server on a restored cluster, and stops it cleanly after the work. If this process ends for any reason, so
 * does the server.
 *
 * @throws OperationError if it does not start, with PostgreSQL's reason; any error of `use`
 */
export async function withServerOn<T>(
  data: string,
  signal: AbortSignal,
  use: (server: SocketServer) => Promise<T>,
): Promise<T> {
  const account = await serverAccount(process.getuid?.());
  const binaries = await installBinaries(dataHome(process.env, process.getuid?.()));
  const parent = await temporaryFolder(account);
  await removeAbandoned(parent);
  const folder = await mkdtemp(join(parent, scratchPrefix));
  const files = {
    "postgresql.conf": "",
    "pg_ident.conf": "",
    // Nobody else can enter the folder of the socket.
    "pg_hba.conf": "local all all trust\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  if (account !== undefined)
    for (const path of ["", ...Object.keys(files)]) await chown(join(folder, path), account.uid, account.gid);
  await writeHolder(folder);
  const own = {
    config_file: join(folder, "postgresql.conf"),
    hba_file: join(folder, "pg_hba.conf"),
    ident_file: join(folder, "pg_ident.conf"),
    unix_socket_directories: folder,
    ...settings,
  };
  const options = Object.entries(own).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // The last -D counts.
  const server = watchServer(binaries.postgres, folder, account, ["-D", data, ...options]);
  try {
    server.start();
    const ended = await untilReadyOrEnded(folder, server, signal, { data, timeoutMs: recoveryTimeoutMs });
    if (ended !== undefined) throw notStarted(ended);
    const result = await use(socketServer(folder));
    await stop(data, server);
    return result;
  } finally {
    await server.end();
  }
}

/** Queries the server as its superuser. */
function socketServer(folder: string): SocketServer {
  return serverAt({ host: folder, port: 5432, user: superuser, sslmode: "disable" });
}

/** Queries a server as a superuser, in the form in which containers answer. */
export function serverAt(superuserLogin: Omit<Connection, "database">): SocketServer {
  const login = (database: string): Connection => ({ ...superuserLogin, database });
  const run = <Row extends object>(sql: string, database = "postgres") =>
    withClient(login(database), async (client) => (await client.query<Row>(sql)).rows).catch((error: Error) => {
      // The server's own words, without the address of the scratch server.
      throw new SocketError(error.cause instanceof Error ? error.cause.message : error.message, { cause: error });
    });
  return {
    query: async <Row>(sql: string, database?: string) => {
      const wrapped = `select coalesce(json_agg(row_to_json(answer)), '[]') as rows from (${sql}) answer`;
      const [answer] = await run<{ rows: Row[] }>(wrapped, database);
      return answer?.rows ?? [];
    },
    execute: async (sql, database) => void (await run(sql, database)),
  };
}

/** Shuts a server down: everything is on the disk, and the next start needs no recovery. */
async function stop(data: string, server: WatchedServer): Promise<void> {
  const [pid = ""] = ((await unlessAbsent(readFile(join(data, "postmaster.pid"), "utf8"))) ?? "").split("\n");
  if (/^\d+$/.test(pid)) process.kill(Number(pid), "SIGINT");
  const log = await poll(async () => server.endOfLog(), {
    intervalMs: 20,
    timeoutMs: stopTimeoutMs,
    timedOut: () => new OperationError(`The server on the restored copy ${data} did not stop.`),
  });
  if (!/database system is shut down/.test(log)) throw notStarted(log);
}

/** Explains a server that ended by itself, with the reason in its log. */
function notStarted(log: string): OperationError {
  const lines = log.trim().split("\n");
  const at = lines.findLastIndex((line) => /^(FATAL|PANIC): /.test(line));
  // PostgreSQL's hint is for those who restore by hand.
  const details = lines.slice(at + 1).filter((line) => line.startsWith("DETAIL: "));
  const reason = at < 0 ? (lines.at(-1) ?? "") : [lines[at], ...details].join(" ");
  return new OperationError(`No server runs on the restored copy: ${reason}`);
}
