import type { Command } from "commander";
import { type Registration, register } from "../../registration.ts";

const verbs: Readonly<Record<string, Registration>> = {
  list: async () => (await import("./list.ts")).registerDumpsList,
  stats: async () => (await import("./stats.ts")).registerDumpsStats,
  validate: async () => (await import("./validate.ts")).registerDumpsValidate,
  load: async () => (await import("./load.ts")).registerDumpsLoad,
  key: async () => (await import("./key.ts")).registerDumpsKey,
};

export async function registerDumps(program: Command, typed: readonly string[]): Promise<void> {
  const dumps = program.command("dumps").description("work with the dumps that `backup dump` made, in BACKUP_DIR");
  await register(dumps, verbs, typed);
}
