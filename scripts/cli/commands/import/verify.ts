import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";
import { describeVerify } from "./text.ts";

interface VerifyOptions extends TargetOptions {
  source?: string;
}

export function registerImportVerify(parent: Command): void {
  databaseVerb(
    parent,
    "verify [run]",
    "compare the source of an import with the rows as they are now (exit code 5 if they differ)",
  )
    .option("--source <path>", "the source, if it is no longer where it was")
    .action(action<VerifyOptions, [string | undefined]>(verify));
}

async function verify(context: CommandContext, options: VerifyOptions, named: string | undefined) {
  const { verifyImport } = await import("../../../import/verify-import.ts");
  const { connection, database, label } = await resolveTarget(context, options);
  showStep(context.out, "comparing source and target");
  const found = await verifyImport({ connection, database, run: named, path: options.source, signal: context.signal });
  context.out.answer(found, () => [`${label}: import ${found.run}`, ...describeVerify(found.result)].join("\n"));
  return found.result.verified ? exitCode.done : exitCode.wrong;
}
