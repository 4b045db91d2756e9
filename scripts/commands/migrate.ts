import type { Command } from "commander";
import { registerMigrateInit } from "./migrate/init.ts";
import { registerMigrateStatus } from "./migrate/status.ts";
import { registerMigrateUp } from "./migrate/up.ts";
import { registerMigrateVerify } from "./migrate/verify.ts";

export function registerMigrate(program: Command): void {
  const migrate = program.command("migrate").description("committed migrations of a database");
  registerMigrateInit(migrate);
  registerMigrateUp(migrate);
  registerMigrateStatus(migrate);
  registerMigrateVerify(migrate);
}
