import { join } from "node:path";
import { withClient } from "../../../scripts/connection/client.ts";
import { type Connection, inDatabase } from "../../../scripts/connection/connection.ts";
import { applyMigrations } from "../../../scripts/migrate/apply.ts";
import { applySeeds } from "../../../scripts/seed/apply.ts";
import { cloneRoot } from "../../clone-root.ts";
import { runVolume, settleVolume } from "../../embedded/migrations/volume.ts";
import type { BenchServer } from "../server.ts";

/**
 * Creates a database of this project as `up` does, and fills it.
 *
 * @param rows rows of the volume's main table
 * @returns the application's connection
 */
export async function filledDatabase(server: BenchServer, name: string, rows: number): Promise<Connection> {
  const login = await server.createKitDatabase(name);
  const [connection, folder] = [login("migrator"), join(cloneRoot, "migrations", name)];
  const admin = inDatabase(server.superuser, name);
  await applyMigrations({ connection, folder, admin });
  await applySeeds({ connection, folder, sets: ["reference"] });
  await withClient(connection, async (migrator) => {
    await runVolume(migrator, name, rows);
    await withClient(admin, (superuser) => settleVolume(superuser, migrator));
  });
  return login("app");
}
