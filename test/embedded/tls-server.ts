import { chmod, chown, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withClient } from "../../scripts/connection/client.ts";
import type { CertifiedKey } from "../../scripts/tls/certificates.ts";
import { startServer, type TestServer } from "./server.ts";

/** A test's own server with TLS. */
export interface TlsServer extends TestServer {
  /** Makes the server present this certificate from now on. */
  show(shown: CertifiedKey): Promise<void>;
  /** Makes the server reject TCP connections without TLS, as servers in containers do. */
  refusePlain(): Promise<void>;
}

/** Starts a server with a certificate. It also accepts connections without TLS, like the tests' other servers. */
export async function startTlsServer(shown: CertifiedKey): Promise<TlsServer> {
  const server = await startServer();
  const { dataDirectory } = server;
  const admin = (...statements: string[]) =>
    withClient(server.connection(), async (client) => {
      for (const statement of statements) await client.query(statement);
    });
  const write = async (name: string, text: string) => {
    const path = join(dataDirectory, name);
    const { uid, gid } = await stat(dataDirectory);
    await writeFile(path, text);
    // PostgreSQL rejects a key that other accounts can read or own.
    await chmod(path, 0o600);
    await chown(path, uid, gid);
  };
  const show = async ({ certificate, privateKey }: CertifiedKey) => {
    const before = await loadedAt(server);
    await write("server.crt", certificate);
    await write("server.key", privateKey);
    await admin("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()");
    await reloaded(server, before);
  };
  await show(shown);
  return {
    ...server,
    show,
    refusePlain: async () => {
      const before = await loadedAt(server);
      const text = await readFile(join(dataDirectory, "pg_hba.conf"), "utf8");
      await write("pg_hba.conf", text.replaceAll(/^host\b/gm, "hostssl"));
      await admin("SELECT pg_reload_conf()");
      await reloaded(server, before);
    },
  };
}

/**
 * Returns the time at which the server loaded its configuration. Asks over TLS, and without TLS if that is not on yet.
 */
async function loadedAt(server: TestServer): Promise<string | undefined> {
  const ask = async (sslmode: "disable" | "require") =>
    withClient({ ...server.connection(), sslmode }, async (client) => {
      const { rows } = await client.query<{ at: string }>("SELECT pg_conf_load_time()::text AS at");
      return rows[0]?.at;
    });
  return ask("require").catch(() => ask("disable"));
}

/**
 * Waits for the reload: the server reads its files after a signal, and a session that begins at once may still see the
 * old ones.
 */
async function reloaded(server: TestServer, before: string | undefined): Promise<void> {
  const deadline = Date.now() + 10_000;
  while ((await loadedAt(server)) === before) {
    if (Date.now() > deadline) throw new Error("the server did not read its configuration again");
  }
}
