import { afterAll, beforeAll, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { canonicalValue, type Parameter, readParameters, shownValue } from "../../../../scripts/server/parameters.ts";
import { startServer, type TestServer } from "../../server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

/** Settings for which `SHOW` computes a value instead of printing the stored one. */
const workedOut = new Set(["in_hot_standby", "tcp_keepalives_idle", "tcp_keepalives_interval"]);

it("every setting accepts its own value and shows it as the server does", async () => {
  await withClient(server.connection(), async (client) => {
    const { byName } = await readParameters(client);
    const { rows } = await client.query<{ name: string; shown: string }>(
      "select lower(name) as name, current_setting(name) as shown from pg_settings",
    );
    expect(byName.size).toBe(rows.length);
    const wrong = rows.filter(({ name, shown }) => {
      const parameter = byName.get(name) as Parameter;
      return (
        canonicalValue(parameter, parameter.setting) === undefined ||
        (!workedOut.has(name) && shown !== "" && shownValue(parameter, parameter.setting) !== shown)
      );
    });
    expect(wrong).toEqual([]);
  });
});

it("a value is read as the server reads it, in any spelling", async () => {
  const spellings: [string, string][] = [
    ["work_mem", "0.5MB"],
    ["work_mem", "0.1GB"],
    ["work_mem", "7168"],
    ["deadlock_timeout", "1.5s"],
    ["statement_timeout", "2min"],
    ["vacuum_cost_delay", "250us"],
    ["random_page_cost", "1.1e0"],
    ["jit", "TRUE"],
    ["jit", "of"],
    ["bytea_output", "HEX"],
    ["wal_compression", "yes"],
    ["constraint_exclusion", "1"],
    ["effective_io_concurrency", "0x10"],
    ["log_temp_files", "-1"],
  ];
  await withClient(server.connection(), async (client) => {
    const { byName } = await readParameters(client);
    for (const [name, text] of spellings) {
      await client.query("select set_config($1, $2, false)", [name, text]);
      const { rows } = await client.query<{ setting: string }>("select setting from pg_settings where name = $1", [
        name,
      ]);
      const parameter = byName.get(name) as Parameter;
      const own = canonicalValue(parameter, rows[0]?.setting ?? "");
      // For two spellings of one value, the server shows only one: "pglz" for "yes".
      expect(canonicalValue(parameter, text), `${name} = ${text}`).toBe(name === "wal_compression" ? "on" : own);
    }
  });
});
