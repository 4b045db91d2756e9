import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../../../../scripts/connection/connection.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { pgw } from "./pgw.ts";

let server: TestServer;
let connection: Connection;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("trading");
  connection = server.as("migrator", "trading");
  expect((await migrate("up")).code).toBe(0);
});
afterAll(() => server?.stop());

const superuser = () => inDatabase(server.connection(), "trading");
const migrate = (...args: string[]) => pgw(connection, ["migrate", ...args, "-d", "trading"], superuser());
const query = (sql: string, as = connection) => withClient(as, async (client) => (await client.query(sql)).rows);
const index = "orders_working_limit_idx";

// Each test begins with the result of the one before it.
describe("pgw migrate repair", () => {
  it("exits with 0 if there is nothing to repair", async () => {
    const { code, stdout } = await migrate("repair");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\/trading: nothing to repair\n$/)]);
  });

  it("explains what it found and what it would do, and changes nothing (exit code 4)", async () => {
    await query(`update pg_index set indisvalid = false where indexrelid = '${index}'::regclass`, superuser());
    const { code, stdout, stderr } = await migrate("repair");
    expect([code, stdout]).toEqual([4, expect.stringMatching(/: 1 to repair \(--yes\)\n$/)]);
    expect(stderr).toContain(
      `- the index public.${index} on orders is invalid: writes update it, but no query uses it\n    repair: rebuild it (REINDEX INDEX CONCURRENTLY), because no pending file does\n`,
    );
    expect(await query(`select indisvalid from pg_index where indexrelid = '${index}'::regclass`)).toEqual([
      { indisvalid: false },
    ]);
  });

  it("repairs with --yes", async () => {
    const { code, stdout } = await migrate("repair", "--yes", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [{ kind: "invalid-index", advice: null, repaired: true }] });
    expect(await query(`select indisvalid from pg_index where indexrelid = '${index}'::regclass`)).toEqual([
      { indisvalid: true },
    ]);
  });

  it("leaves a session with the deployment lock alone (exit code 5), and ends the one that is named", async () => {
    await withClient(connection, async (holder) => {
      await holder.query("select pg_advisory_lock(74768639675)");
      const { rows } = await holder.query<{ pid: number }>("select pg_backend_pid() as pid");
      const pid = String(rows[0]?.pid);
      const { code, stdout, stderr } = await migrate("repair", "--yes");
      expect([code, stdout]).toEqual([5, expect.stringMatching(/: 1 needs you\n$/)]);
      expect(stderr).toContain(`\`migrate repair --terminate ${pid}\``);
      expect((await migrate("repair", "--terminate", "1")).code).toBe(2);
      const ended = await migrate("repair", "--terminate", pid);
      expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining(`ended session ${pid}\n`)]);
    });
  });
});
