import { type Command, InvalidArgumentError } from "commander";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { restoreLatest, restoreVariable } from "../../model/restore-variable.ts";
import type { StackOutputs } from "../../model/stack-outputs.ts";
import type { AlertSilence } from "../../stack/alert-silence.ts";
import type { DeployRecorder } from "../../stack/deploy-point.ts";
import type { OperationResult } from "../../stack/engine-operation.ts";
import type { Stack } from "../../stack/stack.ts";
import { StackLocked } from "../../stack/stack-locked.ts";
import { localStack } from "../../stack/stacks.ts";
import { describeChanges } from "../changes.ts";
import { action, type CommandContext } from "../context.ts";
import { type CommandOperationOptions, operateStack } from "../operation.ts";
import { allChangesOption, jsonOption, stackOption } from "../options.ts";
import { showStep } from "../step.ts";
import { describeStack } from "../summary.ts";
import { warnAfterUp } from "../warnings-after-up.ts";

interface UpOptions {
  stack?: string;
  recover?: boolean;
  /** Seconds to wait; true: without limit. */
  wait?: number | true;
  all?: boolean;
  restoreFromBackup?: boolean;
  time?: string;
}

export function registerUp(program: Command): void {
  program
    .command("up")
    .description(
      "create or update the stack: server, databases, roles, migrations, seeds; running it again changes nothing",
    )
    .addOption(stackOption())
    .option(
      "--recover",
      "first clean up what a killed command left; on a terminal, `up` offers this if it is necessary",
    )
    .option("--wait [seconds]", "wait while another command works on the stack (default: no limit)", seconds)
    .option(
      "--restore-from-backup",
      "the machine is lost: restore the cluster from its remote repository before the server starts; refused if there is a cluster",
    )
    .option("--time <time>", "with --restore-from-backup: time with its zone (default: everything that is archived)")
    .addOption(allChangesOption())
    .addOption(jsonOption())
    .action(
      action<UpOptions, []>(async (context, options) => {
        const { stack = localStack, recover = false, wait = 0, all = false } = options;
        const waitMs = wait === true ? Number.POSITIVE_INFINITY : wait * 1_000;
        const restore = restoreTarget(options);
        const variables: Record<string, string> = restore === undefined ? {} : { [restoreVariable]: restore };
        const outputs = await upStack(context, stack, { recover, waitMs, variables }, all);
        if (restore !== undefined) await backUpRestored(context, outputs);
        await noteKeptClusters(context, outputs, stack);
        await warnAfterUp(context, stack);
      }),
    );
}

/**
 * Brings a stack up and prints its summary.
 *
 * @param all true to list every change
 */
export async function upStack(
  context: CommandContext,
  stack: string,
  options: CommandOperationOptions = {},
  all = false,
): Promise<StackOutputs> {
  const started = performance.now();
  const result = await deploy(context, stack, options);
  // A stack that was partly erased is in use again.
  const { forgetErasure } = await import("../../stack/begun-erasure.ts");
  await forgetErasure(context.root, stack);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  // The outputs of the Pulumi program; passwords are masked in them.
  const outputs = result.outputs as unknown as StackOutputs;
  context.out.answer(
    { stack, ...result },
    () => `${describeChanges("up", result, all)}, in ${seconds} s\n\n${describeStack(outputs, stack)}`,
  );
  return outputs;
}

/** Mentions clusters that an in-place restore keeps, and what it paused, until someone decides. */
async function noteKeptClusters(context: CommandContext, { server }: StackOutputs, stack: string): Promise<void> {
  const { readKeptClusters } = await import("../../stack/kept-clusters.ts");
  const { describeKeptClusters } = await import("../kept-clusters.ts");
  const kept = await readKeptClusters(server, new Date());
  for (const text of describeKeptClusters(kept, stack)) context.out.note(text);
}

/** Returns what to restore: `latest`, or a time. Undefined if nothing is restored. */
function restoreTarget({ restoreFromBackup = false, time }: UpOptions): string | undefined {
  if (restoreFromBackup) return time ?? restoreLatest;
  if (time === undefined) return undefined;
  throw new OperationError("--time needs --restore-from-backup.", { exitCode: exitCode.usage });
}

/** Makes full backups of a restored cluster: restores of its new timeline should not depend on an earlier one. */
async function backUpRestored(context: CommandContext, { server }: StackOutputs): Promise<void> {
  if (server.kind !== "docker" || server.backups === undefined) return;
  const { container, second } = server.backups;
  const { withDocker } = await import("../../docker/client.ts");
  const { createBackup } = await import("../../backup/create.ts");
  for (const each of [container, ...(second === undefined ? [] : [second.container])]) {
    showStep(context.out, "making a full backup");
    const made = await withDocker(server.dockerHost, (docker) => createBackup(docker, each, "full"));
    context.out.endStep();
    context.out.note(`full backup of the restored cluster: ${made.label}`);
  }
}

/**
 * Runs `up`. Alerts that begin meanwhile are silenced. If the stack has backups, makes a restore point before it, and
 * records it if it changes something or is killed.
 */
async function deploy(
  context: CommandContext,
  stack: string,
  options: CommandOperationOptions,
): Promise<OperationResult> {
  const { dockerPlaceIn } = await import("../../stack/docker-place.ts");
  const { resourcesOrNone } = await import("../../stack/stored-state.ts");
  const warn = (text: string) => context.out.warn(text);
  let recorder: DeployRecorder | undefined;
  let silence: AlertSilence | undefined;
  const checkDrills = drillCheck(context);
  const checkDumps = dumpCheck(context);
  const before = async (opened: Stack) => {
    await checkDrills(opened);
    await checkDumps(opened);
    const place = dockerPlaceIn(await resourcesOrNone(opened));
    // Another server than one in a container has no Alertmanager and no restore points of the kit.
    if (place === undefined) return;
    const { AlertSilence } = await import("../../stack/alert-silence.ts");
    const { DeployRecorder } = await import("../../stack/deploy-point.ts");
    silence ??= new AlertSilence("pgw up", warn);
    await silence.begin(place);
    recorder ??= new DeployRecorder(opened.root, warn);
    await recorder.begin(place);
  };
  try {
    const result = await operateStack(context, "up", stack, { ...options, before });
    await recorder?.record("done", result.changes.length);
    return result;
  } catch (error) {
    if (error instanceof StackLocked) await recorder?.forget();
    else await recorder?.record("failed", null);
    throw error;
  } finally {
    await silence?.end();
  }
}

/**
 * Returns a function that warns once if no restore drill is current. If the stack requires one, it previews the changes
 * and refuses those of data.
 */
function drillCheck(context: CommandContext): (stack: Stack) => Promise<void> {
  let hasWarned = false;
  return async (stack) => {
    const { drillWarning, newFilesOf, readStackDrills, requireDrill } = await import("../../stack/drill-gate.ts");
    const drills = await readStackDrills(stack, new Date());
    if (drills === undefined) return;
    const warning = drillWarning(drills, stack.name);
    if (warning === undefined) return;
    if (drills.plan.required) {
      const { runOperation } = await import("../../stack/operation.ts");
      const { engineSignal: signal, runId } = context;
      const { changes } = await runOperation(stack, "preview", { signal, runId });
      await requireDrill(drills, stack, changes, newFilesOf(stack));
    }
    if (!hasWarned) context.out.warn(warning);
    hasWarned = true;
  };
}

/** Returns a function that warns once if dumps are overdue. */
function dumpCheck(context: CommandContext): (stack: Stack) => Promise<void> {
  let isChecked = false;
  return async (stack) => {
    if (isChecked) return;
    isChecked = true;
    const { dumpWarning } = await import("../../stack/dump-state.ts");
    const warning = await dumpWarning(stack, context.env, new Date());
    if (warning !== undefined) context.out.warn(warning);
  };
}

function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a whole number of seconds.");
}
