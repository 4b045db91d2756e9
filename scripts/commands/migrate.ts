import type { Command } from "commander";
import { registerMigrateBaseline } from "./migrate/baseline.ts";
import { registerMigrateCommit } from "./migrate/commit.ts";
import { registerMigrateDown } from "./migrate/down.ts";
import { registerMigrateInit } from "./migrate/init.ts";
import { registerMigrateLint } from "./migrate/lint.ts";
import { registerMigrateNew } from "./migrate/new.ts";
import { registerMigratePlan } from "./migrate/plan.ts";
import { registerMigrateRepair } from "./migrate/repair.ts";
import { registerMigrateStatus } from "./migrate/status.ts";
import { registerMigrateUncommit } from "./migrate/uncommit.ts";
import { registerMigrateUp } from "./migrate/up.ts";
import { registerMigrateVerify } from "./migrate/verify.ts";

export function registerMigrate(program: Command): void {
  const migrate = program.command("migrate").description("committed migrations of a database");
  registerMigrateInit(migrate);
  registerMigrateUp(migrate);
  registerMigrateDown(migrate);
  registerMigrateNew(migrate);
  registerMigrateCommit(migrate);
  registerMigrateUncommit(migrate);
  registerMigrateBaseline(migrate);
  registerMigrateRepair(migrate);
  registerMigrateStatus(migrate);
  registerMigrateVerify(migrate);
  registerMigratePlan(migrate);
  registerMigrateLint(migrate);
}
