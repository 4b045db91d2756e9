import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { freePort } from "../../../support/free-port.ts";

/** User id of `nobody` on Debian, Alpine and Fedora. PgBouncer refuses to run as root. */
const nobody = 65534;

/** True if PgBouncer is installed (Debian: apt-get install pgbouncer). */
export const hasPgBouncer = (() => {
  try {
    execFileSync("pgbouncer", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** A PgBouncer in front of one login. */
export interface Pooler {
  /** Connection through PgBouncer with that login. */
  connection: Connection;
  stop(): Promise<void>;
}

/**
 * Starts a PgBouncer in a given pool mode for the login of a connection.
 *
 * @param more further lines of its configuration
 */
export async function startPooler(
  behind: Connection,
  mode: "transaction" | "session" | "statement",
  more: readonly string[] = [],
): Promise<Pooler> {
  const port = await freePort();
  const folder = join(tmpdir(), `pgw-pooler-${port}`);
  await mkdir(folder);
  const configuration = [
    "[databases]",
    `* = host=${behind.host} port=${behind.port}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = plain",
    `auth_file = ${folder}/users`,
    `pool_mode = ${mode}`,
    "ignore_startup_parameters = extra_float_digits",
    ...more,
  ];
  await writeFile(join(folder, "pgbouncer.ini"), `${configuration.join("\n")}\n`);
  await writeFile(join(folder, "users"), `"${behind.user}" "${behind.password}"\n`, { mode: 0o600 });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) for (const name of ["", "users", "pgbouncer.ini"]) await chown(join(folder, name), nobody, nobody);
  await chmod(folder, 0o700);
  const user = isRoot ? { uid: nobody, gid: nobody } : {};
  const child = spawn("pgbouncer", ["--quiet", join(folder, "pgbouncer.ini")], { stdio: "ignore", cwd: "/", ...user });
  await listening(child, port);
  return {
    connection: { ...behind, host: "127.0.0.1", port, sslmode: "disable" },
    stop: async () => {
      const ended = child.exitCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended with ${child.exitCode}.`);
    const answered = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ host: "127.0.0.1", port }, () => resolve(socket.end() && true));
      socket.on("error", () => resolve(false));
    });
    if (answered) return;
    await sleep(50);
  }
  throw new Error("PgBouncer did not start to listen.");
}
