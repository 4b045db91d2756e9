import type { Command } from "commander";
import { action } from "../context.ts";
import { readyEngine } from "../engine.ts";
import { jsonOption } from "../options.ts";
import { table } from "../table.ts";

export function registerStacks(program: Command): void {
  program
    .command("stacks")
    .description("list the stacks that have a state or a settings file")
    .addOption(jsonOption())
    .action(
      action<object, []>(async (context) => {
        const { listStacks } = await import("../../stack/stacks.ts");
        const stacks = await listStacks(await readyEngine(context, { quiet: true }), context.root);
        const rows = stacks.map(({ name, deployed, lastUpdate, resources }) => [
          name,
          deployed ? "yes" : "no",
          lastUpdate ?? "",
          resources === undefined ? "" : String(resources),
        ]);
        context.out.answer(stacks, () => table(["stack", "has state", "last change", "resources"], rows));
      }),
    );
}
