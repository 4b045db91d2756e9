import type { Command } from "commander";
import { readyEngine } from "./cli/engine.ts";
import { jsonOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";
import { table } from "./cli/table.ts";

export function registerStacks(program: Command): void {
  program
    .command("stacks")
    .description("the environments there are, or could be")
    .addOption(jsonOption())
    .action(
      action<object, []>(async (run) => {
        const { listStacks } = await import("../stack/stacks.ts");
        const stacks = await listStacks(await readyEngine(run, { quiet: true }), run.root);
        const rows = stacks.map(({ name, deployed, lastUpdate, resources }) => [
          name,
          deployed ? "yes" : "no",
          lastUpdate ?? "",
          resources === undefined ? "" : String(resources),
        ]);
        run.out.answer(stacks, () => table(["stack", "has state", "last change", "resources"], rows));
      }),
    );
}
