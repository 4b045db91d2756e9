import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import type { ConnectionError } from "../../../../scripts/connection/connection-error.ts";
import { startServer } from "../../server.ts";

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;

beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("client");
  connection = server.as("app", "client");
});
afterAll(() => server?.stop());

async function failure(of: Connection): Promise<{ failure: string; reason: string; hint: string | undefined }> {
  const error = (await withClient(of, async () => undefined).then(
    () => {
      throw new Error("it connected");
    },
    (caught: unknown) => caught,
  )) as ConnectionError;
  const start = `Cannot connect to ${of.user}@${of.host}:${of.port}/${of.database}: `;
  expect(error.message.slice(0, start.length)).toBe(start);
  if (of.password) expect(error.text).not.toContain(`"${of.password}"`);
  return { failure: error.failure, reason: error.message.slice(start.length), hint: error.hint };
}

describe("a client", () => {
  it("is connected under the given name, and closed afterwards", async () => {
    const seen = await withClient(
      connection,
      async (client) => {
        const { rows } = await client.query<{ name: string; pid: number }>(
          "select current_setting('application_name') as name, pg_backend_pid() as pid",
        );
        return rows[0];
      },
      "a test",
    );
    expect(seen?.name).toBe("a test");
    const left = () =>
      withClient(server.connection(), (client) =>
        client.query("select from pg_stat_activity where pid = $1", [seen?.pid]),
      );
    // The server needs a moment to detect it.
    await expect.poll(async () => (await left()).rowCount, { timeout: 60_000 }).toBe(0);
  });

  it("is closed if its user throws, and the error passes unchanged", async () => {
    const thrown = new Error("mine");
    await expect(withClient(connection, () => Promise.reject(thrown))).rejects.toBe(thrown);
  });

  it("says that the server ended it in the middle of a query", async () => {
    const ended = withClient(server.connection("client"), (client) =>
      client.query("select pg_terminate_backend(pg_backend_pid())"),
    );
    await expect(ended).rejects.toMatchObject({
      failure: "lost",
      message: expect.stringMatching(/was lost: terminating connection due to administrator command\.$/),
    });
  });

  it("fails at the next query after its server was lost, and does not end the process", async () => {
    const lost = withClient(connection, async (client) => {
      const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
      const closed = new Promise((resolve) => client.once("end", resolve));
      await withClient(server.connection(), (admin) => admin.query("select pg_terminate_backend($1)", [rows[0]?.pid]));
      await closed;
      await client.query("select 1");
    });
    await expect(lost).rejects.toMatchObject({
      failure: "lost",
      message: expect.stringContaining(`The connection to ${connection.user}@${connection.host}`),
    });
  });
});

describe("a failed connection", () => {
  it("says that nothing listens", async () => {
    expect(await failure({ ...connection, port: 1 })).toEqual({
      failure: "unreachable",
      reason: `nothing listens on ${connection.host}:1 (connection refused).`,
      hint: "Start the server (a stack: npm run up), or correct host and port.",
    });
  });

  it("says that a host name cannot be resolved", async () => {
    expect((await failure({ ...connection, host: "no-such-host.invalid" })).reason).toMatch(
      /^the host name "no-such-host\.invalid" cannot be resolved \((ENOTFOUND|EAI_AGAIN)\)\.$/,
    );
  });

  it("says that there is no socket", async () => {
    expect(await failure({ ...connection, host: "/no/such/folder" })).toMatchObject({
      failure: "unreachable",
      reason: `there is no socket for port ${connection.port} in /no/such/folder.`,
    });
  });

  it("says that the password is wrong or missing", async () => {
    expect(await failure({ ...connection, password: "hunter2" })).toMatchObject({
      failure: "password",
      reason: `password authentication failed for user "${connection.user}".`,
    });
    expect(await failure({ ...connection, password: undefined })).toMatchObject({
      failure: "password",
      reason: `the server requires a password for user "${connection.user}", but none is set.`,
    });
  });

  it("says that the database does not exist, or that the role may not connect to it", async () => {
    expect(await failure(server.connection("nowhere"))).toMatchObject({
      failure: "database-missing",
      reason: 'the database "nowhere" does not exist.',
    });
    await server.createDatabase("client_other");
    expect(await failure({ ...connection, database: "client_other" })).toMatchObject({
      failure: "denied",
      reason: `user "${connection.user}" has no CONNECT privilege on database "client_other".`,
    });
  });

  it("says that the server does not speak TLS", async () => {
    expect(await failure({ ...connection, sslmode: "require" })).toMatchObject({
      failure: "tls",
      reason: "the server does not support TLS.",
    });
  });

  it("says that a CA file cannot be read", async () => {
    const of: Connection = { ...connection, sslmode: "verify-full", sslrootcert: "/no/such/ca.pem" };
    await expect(withClient(of, async () => undefined)).rejects.toThrow('Cannot read the CA file "/no/such/ca.pem".');
  });

  it("says that the connection is closed at once", async () => {
    const listener = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      expect(await failure({ ...connection, host: "127.0.0.1", port })).toMatchObject({ failure: "unreachable" });
    } finally {
      listener.close();
    }
  });
});
