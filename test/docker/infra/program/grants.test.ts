import { describe, expect, it } from "vitest";
import { withClient } from "../../../../scripts/connection/client.ts";
import { PluginProcess } from "../../../embedded/infra/fallback-providers/postgresql/plugin-process.ts";
import { makeDockerStack } from "../../stack.ts";

describe("fifty roles on one database of a server in a container", () => {
  it("get their grants at once from two providers, without conflicts", async () => {
    const shop = await makeDockerStack();
    await shop.succeed("up");
    const connection = await shop.login("superuser");
    const access = { sslrootcert: connection.sslrootcert ?? "" };
    const plugins = await Promise.all([1, 2].map(() => PluginProcess.start(connection, access)));
    try {
      const roles = Array.from({ length: 50 }, (_, index) => `busy_${index}`);
      await Promise.all(roles.map((name, index) => plugins[index % 2]?.create("Role", name, { name })));
      const grant = (role: string, index: number) =>
        plugins[index % 2]?.create("Grant", role, {
          ...{ role, database: "shop", objectType: "database", privileges: ["CONNECT", "TEMPORARY"] },
        });
      await Promise.all(roles.map(grant));
    } finally {
      for (const plugin of plugins) await plugin.stop();
    }
    const { rows } = await withClient(connection, (client) =>
      client.query(
        `select count(*)::int from pg_roles where rolname like 'busy\\_%'
            and has_database_privilege(rolname, 'shop', 'connect') and has_database_privilege(rolname, 'shop', 'temporary')`,
      ),
    );
    expect(rows).toEqual([{ count: 50 }]);
  });
});
