import { withClient } from "../../../../scripts/connection/client.ts";
import { ensureServer, stopServer } from "../../../../scripts/server/embedded.ts";
import { dataHome, serverFolder } from "../../../../scripts/server/locations.ts";

/*
 * Run by ordinary-user.test.ts as another user. Starts a server in that user's data folder, queries it, prints its
 * facts and stops it.
 */

const home = dataHome(process.env, process.getuid?.());
const folder = serverFolder(home, process.cwd(), "project", "stack");
const superuserPassword = "password-of-an-ordinary-user";
const server = await ensureServer({
  home,
  folder,
  superuserPassword,
  settings: { shared_buffers: "16MB", max_connections: "20" },
});
try {
  const connection = {
    host: server.host,
    port: server.port,
    database: "postgres",
    user: "postgres",
    password: superuserPassword,
    sslmode: "disable",
  } as const;
  const { rows } = await withClient(connection, (client) => client.query("select 1 as one"));
  process.stdout.write(JSON.stringify({ pid: server.pid, data: server.directory.data, rows, uid: process.getuid?.() }));
  // The test examines the running server, then sends input.
  await new Promise((resolve) => process.stdin.once("data", resolve));
} finally {
  await stopServer(home, server.directory);
  process.stdin.destroy();
}
