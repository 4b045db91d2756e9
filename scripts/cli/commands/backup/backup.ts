import type { Command } from "commander";
import { type Registration, register } from "../../registration.ts";

const verbs: Readonly<Record<string, Registration>> = {
  create: async () => (await import("./create.ts")).registerBackupCreate,
  list: async () => (await import("./list.ts")).registerBackupList,
  window: async () => (await import("./window.ts")).registerBackupWindow,
  location: async () => (await import("./location.ts")).registerBackupLocation,
  restore: async () => (await import("./restore.ts")).registerBackupRestore,
  remove: async () => (await import("./remove.ts")).registerBackupRemove,
  drill: async () => (await import("./drill.ts")).registerBackupDrill,
  evidence: async () => (await import("./evidence.ts")).registerBackupEvidence,
  deploys: async () => (await import("./deploys.ts")).registerBackupDeploys,
  dump: async () => (await import("./dump.ts")).registerBackupDump,
};

export async function registerBackup(program: Command, typed: readonly string[]): Promise<void> {
  const backup = program.command("backup").description("manage the backups of a stack's server, and dump databases");
  await register(backup, verbs, typed);
}
