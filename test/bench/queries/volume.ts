import { join } from "node:path";
import { applyMigrations } from "../../../scripts/migrate/apply.ts";
import { applySeeds } from "../../../scripts/seed/apply.ts";
import { withClient } from "../../../scripts/target/client.ts";
import { type Connection, inDatabase } from "../../../scripts/target/connection.ts";
import { cloneRoot } from "../../clone-root.ts";
import { runVolume, settleVolume } from "../../embedded/migrations/volume.ts";
import type { BenchServer } from "../server.ts";

/**
 * Makes a database of this clone as `up` does, and fills it.
 *
 * @param rows of the volume's main table
 * @returns the way in that the application has
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
