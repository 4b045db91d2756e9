import type { Command } from "commander";
import { registerSeedApply } from "./seed/apply.ts";
import { registerSeedClear } from "./seed/clear.ts";
import { registerSeedInfo } from "./seed/info.ts";

export function registerSeed(program: Command): void {
  const seed = program.command("seed").description("manage the seeds of a database");
  registerSeedApply(seed);
  registerSeedInfo(seed);
  registerSeedClear(seed);
}
