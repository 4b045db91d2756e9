import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Catalog, readCatalog } from "../../../../../../scripts/catalog/catalog.ts";
import { compareCatalogs } from "../../../../../../scripts/catalog/compare.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import type { Connection } from "../../../../../../scripts/connection/connection.ts";
import { upFiles } from "../../../../migrations/migrated-database.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { pgw } from "./pgw.ts";

let server: TestServer;
let connection: Connection;
let migrations: number;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("trading");
  connection = server.as("migrator", "trading");
  migrations = (await upFiles("trading")).length;
});
afterAll(() => server?.stop());

const catalog = (): Promise<Catalog> => withClient(connection, readCatalog);
const migrate = (...args: string[]) => pgw(connection, ["migrate", ...args, "-d", "trading"]);

describe("pgw migrate down", () => {
  it("needs a confirmation if it is unknown whether the database is protected", async () => {
    expect((await migrate("up")).code).toBe(0);
    const before = await catalog();
    const { code, stdout, stderr } = await migrate("down");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("  000007-schema-migrations-view.sql\nNo rows will be lost.\n");
    expect(stderr).toContain("needs a confirmation. Nothing was changed.\n  Add --yes.\n");
    expect(compareCatalogs(before, await catalog())).toEqual([]);
  });

  it("lists with --dry-run what would be reverted, newest first, with the rows that would be lost", async () => {
    const scenario = "values ('x', 'hypothetical', '{\"EURUSD\": -0.1}')";
    await withClient(connection, (client) =>
      client.query(`insert into stress_test_scenarios (name, scenario_type, shocks) ${scenario}`),
    );
    const { code, stdout } = await migrate("down", "--to", "4", "--dry-run", "--json");
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toEqual({
      planned: [
        {
          filename: "000007-schema-migrations-view.sql",
          downFile: "000007-schema-migrations-view.down.sql",
          transactional: true,
          downChanged: false,
        },
        {
          filename: "000006-working-orders-index.sql",
          downFile: "000006-working-orders-index.down.sql",
          transactional: false,
          downChanged: false,
        },
        { filename: "000005-risk.sql", downFile: "000005-risk.down.sql", transactional: true, downChanged: false },
      ],
      losses: [{ filename: "000005-risk.sql", object: "table public.stress_test_scenarios", rows: 1 }],
      unclear: [],
    });
    expect((await migrate("status")).code).toBe(0);
  });

  it("refuses if the database of a connection cannot be dumped before, and names --no-backup", async () => {
    const before = await catalog();
    const extra = { DOCKER_HOST: "unix:///nonexistent", BACKUP_DIR: "package.json" };
    const { code, stdout, stderr } = await pgw(
      connection,
      ["migrate", "down", "-d", "trading", "--yes"],
      undefined,
      extra,
    );
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/could not be backed up before the revert:\n- A dump could not be made: /);
    expect(stderr).toContain("Nothing was reverted. Remove one of these reasons, or add --no-backup");
    expect(compareCatalogs(before, await catalog())).toEqual([]);
  });

  it("reverts and applies every migration of a real database, singly and together, to the same catalog", async () => {
    const complete = await catalog();
    for (let left = migrations; left > 0; left--) {
      const { code, stdout, stderr } = await migrate("down", "--yes", "--no-backup");
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: expect.stringMatching(/: 1 reverted\n$/) });
      const status = JSON.parse((await migrate("status", "--json")).stdout) as Record<string, unknown[]>;
      expect([status.applied?.length, status.pending?.length]).toEqual([left - 1, migrations - left + 1]);
      expect(status.problems).toEqual([]);
    }
    expect([...(await catalog()).values()].filter(({ kind }) => kind === "table" || kind === "function")).toEqual([]);
    expect((await migrate("up")).code).toBe(0);
    expect(compareCatalogs(complete, await catalog())).toEqual([]);

    const all = await migrate("down", "--to", "0", "--yes", "--no-backup", "--json");
    expect(all.code).toBe(0);
    expect((JSON.parse(all.stdout) as { reverted: unknown[] }).reverted).toHaveLength(migrations);
    expect((await migrate("up")).code).toBe(0);
    expect(compareCatalogs(complete, await catalog())).toEqual([]);
  });

  it.each([
    ["--steps", "0"],
    ["--steps", "two"],
  ])("refuses %s %s as wrong usage", async (...args) => {
    expect((await migrate("down", ...args)).code).toBe(2);
  });
});
