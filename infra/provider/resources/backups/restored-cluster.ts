import type { StackBackups } from "../../../../scripts/backup/stack-backups.ts";
import { exitCode, OperationError } from "../../../../scripts/core/operation-error.ts";
import { restoreLatest } from "../../../../scripts/model/restore-variable.ts";
import type { CallContext, ResourceType } from "../../../provider-protocol/resource-type.ts";
import type { Properties } from "../../../provider-protocol/values.ts";
import { onEngine } from "../../inputs/on-engine.ts";
import { dockerOwnerOf } from "../../inputs/stack-of.ts";

/**
 * The cluster in a stack's volume, before its server starts for the first time. With `restore`, it comes from the
 * remote repository, and the volume must have no cluster. Without it, that repository must have no backups of another
 * cluster. Once it is created, nothing changes it.
 */
export const restoredCluster: ResourceType = {
  async check(_context, news) {
    return { inputs: news };
  },

  diff(_context, _old, news) {
    if (news.restore !== undefined)
      throw new OperationError("This stack's cluster was created before, so nothing is restored.", {
        hint: "Run `up` without --restore-from-backup. To go back to an earlier time, use `npm run pgw -- backup restore --in-place`.",
        exitCode: exitCode.notAllowed,
      });
    return { changes: [] };
  },

  async create(context, inputs, preview) {
    const state = { id: String(inputs.volume), outputs: inputs };
    const target = inputs.restore === undefined ? undefined : String(inputs.restore);
    if (preview) {
      if (target !== undefined)
        await context.log("info", `the cluster will be restored from the repository: ${target}`);
      return state;
    }
    const { requireOwnRepository } = await import("../../../../scripts/backup/restore/lost-cluster.ts");
    const stack = stackOf(context, inputs);
    if (target === undefined) await onEngine(inputs, (docker) => requireOwnRepository(docker, stack));
    else await restore(context, inputs, stack, target);
    return state;
  },

  read: async (_context, current) => current,
  update: async (_context, old) => old.outputs,

  // The cluster stays, as does the volume that contains it.
  async delete() {},
};

async function restore(context: CallContext, inputs: Properties, stack: StackBackups, target: string): Promise<void> {
  const { restoreLostCluster } = await import("../../../../scripts/backup/restore/lost-cluster.ts");
  const request = {
    time: target === restoreLatest ? undefined : target,
    signal: context.signal,
    onStep: (step: string) => void context.log("status", step),
  };
  const restored = await onEngine(inputs, (docker) => restoreLostCluster(docker, stack, request));
  const { backup, reached, incompleteReason, unproven } = restored;
  const commit = reached.lastCommitAt === null ? "" : `, last commit ${reached.lastCommitAt}`;
  await context.log("info", `restored from ${backup} to ${reached.lsn} of timeline ${reached.timeline}${commit}`);
  if (incompleteReason !== undefined) await context.log("warning", `rows may be missing: ${incompleteReason}`);
  for (const { database, reason } of unproven)
    await context.log("warning", `database "${database}" is restored, but could not be verified: ${reason}`);
}

function stackOf({ urn }: CallContext, inputs: Properties): StackBackups {
  const text = (name: string) => String(inputs[name]);
  return {
    owner: dockerOwnerOf(urn),
    // Neither exists yet.
    ...{ container: text("backupContainer"), server: text("serverContainer") },
    image: text("image"),
    volumes: {
      ...{ repository: text("repositoryVolume"), configuration: text("configurationVolume"), data: text("volume") },
    },
    configurationFile: text("configurationFile"),
    network: text("network"),
    // Only the list of backups reads it.
    schedule: { full: "", incremental: "" },
  };
}
