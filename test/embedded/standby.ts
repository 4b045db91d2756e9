import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, readlink, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import getPort from "get-port";
import pg from "pg";
import { clientConfig } from "../../scripts/connection/connection.ts";
import { poll } from "../../scripts/core/poll.ts";
import type { TestServer } from "./server.ts";

const run = promisify(execFile);

/** A streaming standby of a test's server. */
export interface TestStandby {
  port: number;
  /** Session of the superuser in the database of {@link startStandby}. */
  admin(): pg.Client;
  /** Kills its processes. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a standby from a base backup that PostgreSQL's low-level functions make of a running server. It logs in as the
 * role `replicator`.
 */
export async function startStandby(primary: TestServer, database: string): Promise<TestStandby> {
  const data = join(dirname(primary.dataDirectory), "standby");
  const { password } = primary.connection();
  const session = new pg.Client(clientConfig(primary.connection(database), "test"));
  await session.connect();
  try {
    await session.query(`create role replicator login replication password '${password}'`);
    await session.query("select pg_backup_start('standby', true)");
    const omitted = ["postmaster.pid", "postmaster.opts"].map((name) => join(primary.dataDirectory, name));
    await cp(primary.dataDirectory, data, {
      ...{ recursive: true, verbatimSymlinks: true, preserveTimestamps: true },
      filter: (source) => !omitted.includes(source),
    });
    const { rows } = await session.query<{ labelfile: string }>("select labelfile from pg_backup_stop(false)");
    await writeFile(join(data, "backup_label"), rows[0]?.labelfile ?? "");
  } finally {
    await session.end();
  }
  await writeFile(join(data, "standby.signal"), "");
  const { uid, gid } = await stat(primary.dataDirectory);
  await run("chown", ["-R", `${uid}:${gid}`, data]);
  await chmod(data, 0o700);
  const binary = await readlink(`/proc/${primary.pid}/exe`);
  const port = await getPort({ host: "127.0.0.1" });
  const { host, port: primaryPort } = primary.connection();
  const conninfo = `host=${host} port=${primaryPort} user=replicator password=${password} sslmode=disable`;
  const settings = {
    port,
    primary_conninfo: conninfo,
    unix_socket_directories: "",
    logging_collector: "off",
    hot_standby_feedback: "on",
    wal_retrieve_retry_interval: "200ms",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  let running: ReturnType<typeof spawn> | undefined;
  let admin: pg.Client | undefined;
  const standby: TestStandby = {
    port,
    admin: () => {
      if (admin === undefined) throw new Error("The standby is not running.");
      return admin;
    },
    start: async () => {
      running = spawn(binary, ["-D", data, ...options], { uid, gid, cwd: "/", stdio: "ignore" });
      admin = await poll(
        async () => {
          const client = new pg.Client(clientConfig({ ...primary.connection(database), port }, "test"));
          client.on("error", () => {});
          return await client.connect().then(
            () => client,
            () => undefined,
          );
        },
        { intervalMs: 50, timeoutMs: 20_000 },
      );
    },
    kill: async () => {
      if (running === undefined) return;
      const exited = once(running, "exit");
      running.kill("SIGQUIT");
      await exited;
      running = undefined;
      admin?.end().catch(() => {});
      admin = undefined;
    },
    stop: async () => {
      await standby.kill();
      await rm(data, { recursive: true, force: true });
    },
  };
  await standby.start();
  return standby;
}
