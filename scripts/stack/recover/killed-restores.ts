import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  describeDestination,
  markText,
  type NotedRestore,
  notedRestores,
  unfinishedDirectory,
  unfinishedMark,
} from "../../backup/restore/begun-restore.ts";
import { unlessAbsent } from "../../core/absent.ts";
import { withDocker } from "../../docker/client.ts";
import { unlessMissing } from "../../docker/docker-error.ts";
import { holderLabel } from "../../docker/scratch-holder.ts";
import { removeVolume } from "../../docker/stack-objects.ts";
import type { Stack } from "../stack.ts";
import type { StackLeftover } from "./leftover.ts";

/** Finds killed restores, which leave part of a cluster in a folder or volume. */
export async function killedRestores({ root, name }: Stack): Promise<StackLeftover[]> {
  const noted = await notedRestores(root, name);
  return noted.filter(({ state }) => state !== "living").map(leftoverOf);
}

function leftoverOf(restore: NotedRestore): StackLeftover {
  const { to, note, state } = restore;
  const left = to.kind === "directory" ? unfinishedDirectory(to.path) : describeDestination(to);
  const found = `a restore to ${describeDestination(to)} was killed before it was complete`;
  if (state === "elsewhere") {
    const advice = `It ran on another machine, and may still run. If it was killed, delete ${left} and ${note}.`;
    return { kind: "files", found: `a restore to ${describeDestination(to)} has not ended`, advice };
  }
  return {
    kind: "files",
    found,
    action: `remove the incomplete cluster that it left, if any: ${left}`,
    act: () => (to.kind === "directory" ? removeDirectory(restore, to.path) : removeRestored(restore, to.name)),
  };
}

/** Removes the folder only if its mark is that of this restore. */
async function removeDirectory({ holder, note }: NotedRestore, path: string): Promise<boolean> {
  const left = unfinishedDirectory(path);
  const mark = await unlessAbsent(readFile(join(left, unfinishedMark), "utf8"));
  const isOwn = mark === markText(holder);
  if (isOwn) await rm(left, { recursive: true });
  await rm(note, { force: true });
  return isOwn || !existsSync(left);
}

async function removeRestored({ holder, note, dockerHost }: NotedRestore, name: string): Promise<boolean> {
  return withDocker(dockerHost, async (docker) => {
    const volume = await unlessMissing(docker.getVolume(name).inspect());
    const isOwn = volume?.Labels?.[holderLabel] === holder;
    if (isOwn) await removeVolume(docker, { id: name, name, role: "restored" });
    await rm(note, { force: true });
    return isOwn || volume === undefined;
  });
}
