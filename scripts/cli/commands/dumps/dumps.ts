import type { Command } from "commander";
import { type Registration, register } from "../../registration.ts";

const verbs: Readonly<Record<string, Registration>> = {
  list: async () => (await import("./list.ts")).registerDumpsList,
  stats: async () => (await import("./stats.ts")).registerDumpsStats,
  validate: async () => (await import("./validate.ts")).registerDumpsValidate,
  fetch: async () => (await import("./fetch.ts")).registerDumpsFetch,
  load: async () => (await import("./load.ts")).registerDumpsLoad,
  key: async () => (await import("./key.ts")).registerDumpsKey,
};

export async function registerDumps(program: Command, typed: readonly string[]): Promise<void> {
  const dumps = program
    .command("dumps")
    .description("work with dumps: those in BACKUP_DIR, and those that a stack makes on a schedule");
  await register(dumps, verbs, typed);
}
