import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import {
  databaseFolder,
  type MigratedDatabase,
  refusal,
  startMigratedDatabase,
  upFiles,
} from "../migrated-database.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("kyb", [], false);
  await applyMigrations({ connection: database.server.as("migrator", "kyb"), folder: databaseFolder("kyb") });
});
afterAll(() => database?.stop());

const shown = (role: "app" | "readonly") =>
  database[role].query(
    "select version::int, filename, checksum ~ '^sha1:' as has_checksum, applied_at <= now() as is_applied from migrations order by version",
  );

// Each test begins with the result of the one before it.
describe("the migrations view", () => {
  it("shows what was applied to the app and readonly roles, which cannot read the tracking table", async () => {
    const numbers = (await upFiles("kyb")).map((path) => basename(path).slice(0, 6));
    const expected = numbers.map((number) => ({
      version: Number(number),
      filename: `${number}.sql`,
      has_checksum: true,
      is_applied: true,
    }));
    for (const role of ["app", "readonly"] as const) {
      expect((await shown(role)).rows).toEqual(expected);
      const direct = database[role].query("select from graphile_migrate.migrations");
      expect((await refusal(direct)).message).toBe("permission denied for schema graphile_migrate");
    }
  });

  it("is read-only", async () => {
    const error = await refusal(database.app.query("delete from migrations"));
    expect(error.message).toMatch(/^(permission denied for|cannot delete from) view "?migrations"?$/);
  });

  it("is empty if the tracking table is gone", async () => {
    await database.migrator.query("begin; drop schema graphile_migrate cascade");
    expect((await database.migrator.query("select from migrations")).rows).toEqual([]);
    await database.migrator.query("rollback");
    expect((await shown("app")).rows).toHaveLength((await upFiles("kyb")).length);
  });
});
