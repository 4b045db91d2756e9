import type { Command } from "commander";
import { registerSeedApply } from "./apply.ts";
import { registerSeedClear } from "./clear.ts";
import { registerSeedInfo } from "./info.ts";

export function registerSeed(program: Command): void {
  const seed = program.command("seed").description("manage the seeds of a database");
  registerSeedApply(seed);
  registerSeedInfo(seed);
  registerSeedClear(seed);
}
