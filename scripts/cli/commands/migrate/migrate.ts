import type { Command } from "commander";
import { type Registration, register } from "../../registration.ts";

const verbs: Readonly<Record<string, Registration>> = {
  init: async () => (await import("./init.ts")).registerMigrateInit,
  up: async () => (await import("./up.ts")).registerMigrateUp,
  down: async () => (await import("./down.ts")).registerMigrateDown,
  new: async () => (await import("./new.ts")).registerMigrateNew,
  "cache-triggers": async () => (await import("./cache-triggers.ts")).registerMigrateCacheTriggers,
  commit: async () => (await import("./commit.ts")).registerMigrateCommit,
  uncommit: async () => (await import("./uncommit.ts")).registerMigrateUncommit,
  baseline: async () => (await import("./baseline.ts")).registerMigrateBaseline,
  repair: async () => (await import("./repair.ts")).registerMigrateRepair,
  status: async () => (await import("./status.ts")).registerMigrateStatus,
  verify: async () => (await import("./verify.ts")).registerMigrateVerify,
  plan: async () => (await import("./plan.ts")).registerMigratePlan,
  bundle: async () => (await import("./bundle.ts")).registerMigrateBundle,
  lint: async () => (await import("./lint.ts")).registerMigrateLint,
};

export async function registerMigrate(program: Command, typed: readonly string[]): Promise<void> {
  const migrate = program.command("migrate").description("manage the committed migrations of a database");
  await register(migrate, verbs, typed);
}
