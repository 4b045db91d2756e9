import { type Command, InvalidArgumentError } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { DatabaseLeftover } from "../../../migrate/repair/leftover.ts";
import type { Repaired } from "../../../migrate/repair/repair.ts";
import { canAsk, confirm } from "../../confirm.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { type TargetOptions, targetToChange } from "../../target.ts";

interface RepairOptions extends TargetOptions {
  yes?: boolean;
  done?: string[];
  terminate?: number;
}

export function registerMigrateRepair(migrate: Command): void {
  databaseVerb(
    migrate,
    "repair",
    "report what a crash left, and repair it if confirmed (exit code 4 if repairs are pending, 5 if one needs you)",
  )
    .option("-y, --yes", "repair it and skip the confirmation")
    .option("--done <files...>", "record these interrupted files as completed; check first that they did their work")
    .option(
      "--terminate <pid>",
      "terminate this session, which holds the deployment lock and has no client any more",
      processId,
    )
    .action(action<RepairOptions, []>(mend));
}

async function mend(context: CommandContext, { yes = false, done, terminate, ...options }: RepairOptions) {
  const { findRepairs, repair, terminateHolder } = await import("../../../migrate/repair/repair.ts");
  const { connection, admin, folder, label } = await targetToChange(context, options);
  if (terminate !== undefined) {
    await terminateHolder(connection, terminate);
    context.out.note(`ended session ${terminate}`);
  }
  const repairs = { connection, admin, folder, done, signal: context.signal };
  const leftovers = await findRepairs(repairs);
  const held = leftovers.some(({ kind }) => kind === "deployer");
  const repairable = leftovers.filter(({ act }) => act !== undefined).length;
  if (!context.out.json) for (const leftover of leftovers) context.out.note(describe(leftover));
  const agreed = repairable > 0 && !held && (yes || (canAsk() && (await confirm("Repair?", context.signal))));
  const repaired = agreed ? await repair(repairs, leftovers) : [];
  const outcomes = leftovers.map((leftover) => ({ ...leftover, repaired: isRepaired(leftover, repaired) }));
  const left = outcomes.filter(({ act, repaired }) => act !== undefined && !repaired).length;
  const needs = outcomes.filter(({ advice }) => advice !== undefined).length;
  context.out.answer(
    { findings: outcomes.map(reported) },
    () => `${label}: ${summary(repairable - left, left, needs)}`,
  );
  if (needs > 0) return exitCode.wrong;
  return left > 0 ? exitCode.pending : exitCode.done;
}

function isRepaired({ found }: DatabaseLeftover, repaired: readonly Repaired[]): boolean {
  return repaired.some((each) => each.found === found && each.repaired);
}

function reported({ kind, found, action, advice, repaired }: Repaired): object {
  return { kind, found, action: action ?? null, advice: advice ?? null, repaired };
}

function describe({ found, action, advice }: DatabaseLeftover): string {
  const then = action === undefined ? advice : `repair: ${action}`;
  return then === undefined ? `- ${found}` : `- ${found}\n    ${then}`;
}

function summary(mended: number, left: number, needs: number): string {
  const parts = [
    ...(mended > 0 ? [`${mended} repaired`] : []),
    ...(left > 0 ? [`${left} to repair (--yes)`] : []),
    ...(needs > 0 ? [`${needs} ${needs === 1 ? "needs" : "need"} you`] : []),
  ];
  return parts.length === 0 ? "nothing to repair" : parts.join(", ");
}

function processId(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a process id.");
}
