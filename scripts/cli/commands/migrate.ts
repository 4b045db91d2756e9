import type { Command } from "commander";
import { type Registration, register } from "../registration.ts";

const verbs: Readonly<Record<string, Registration>> = {
  init: async () => (await import("./migrate/init.ts")).registerMigrateInit,
  up: async () => (await import("./migrate/up.ts")).registerMigrateUp,
  down: async () => (await import("./migrate/down.ts")).registerMigrateDown,
  new: async () => (await import("./migrate/new.ts")).registerMigrateNew,
  commit: async () => (await import("./migrate/commit.ts")).registerMigrateCommit,
  uncommit: async () => (await import("./migrate/uncommit.ts")).registerMigrateUncommit,
  baseline: async () => (await import("./migrate/baseline.ts")).registerMigrateBaseline,
  repair: async () => (await import("./migrate/repair.ts")).registerMigrateRepair,
  status: async () => (await import("./migrate/status.ts")).registerMigrateStatus,
  verify: async () => (await import("./migrate/verify.ts")).registerMigrateVerify,
  plan: async () => (await import("./migrate/plan.ts")).registerMigratePlan,
  bundle: async () => (await import("./migrate/bundle.ts")).registerMigrateBundle,
  lint: async () => (await import("./migrate/lint.ts")).registerMigrateLint,
};

export async function registerMigrate(program: Command, typed: readonly string[]): Promise<void> {
  const migrate = program.command("migrate").description("manage the committed migrations of a database");
  await register(migrate, verbs, typed);
}
