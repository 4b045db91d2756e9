import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";
import { describeLive, describeVerify } from "./text.ts";

interface VerifyOptions extends TargetOptions {
  source?: string;
  live?: boolean;
}

export function registerImportVerify(parent: Command): void {
  databaseVerb(
    parent,
    "verify [run]",
    "compare the source of an import with the rows as they are now (exit code 5 if they differ)",
  )
    .option("--source <path>", "the source, if it is no longer where it was")
    .option("--live", "compare the source as it is now, and tell on which side rows changed since the import")
    .action(action<VerifyOptions, [string | undefined]>(verify));
}

async function verify(context: CommandContext, options: VerifyOptions, named: string | undefined) {
  const { compareImport, verifyImport } = await import("../../../import/verify-import.ts");
  const { connection, database, label } = await resolveTarget(context, options);
  showStep(context.out, "comparing source and target");
  const compared = { connection, database, run: named, path: options.source, signal: context.signal };
  if (options.live) {
    const live = await compareImport(compared);
    context.out.answer(live, () => [`${label}: import ${live.run}`, ...describeLive(live)].join("\n"));
    return live.equal ? exitCode.done : exitCode.wrong;
  }
  const found = await verifyImport(compared);
  context.out.answer(found, () => [`${label}: import ${found.run}`, ...describeVerify(found.result)].join("\n"));
  return found.result.verified ? exitCode.done : exitCode.wrong;
}
