import type Docker from "dockerode";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { unlessMissing } from "../../docker/docker-error.ts";
import { type DockerStack, type DockerThing, removeVolume } from "../../docker/stack-objects.ts";

/** A volume of a stack. */
export interface FoundVolume extends DockerThing {
  /** Size on the engine's disk. undefined if the engine does not report it. */
  bytes: number | undefined;
}

/**
 * Finds the volumes that erasing a stack removes: those with its marks, and those that its state or an earlier erasure
 * named.
 *
 * @throws OperationError (not allowed) if a named volume does not have the stack's marks
 */
export async function findVolumes(
  docker: Docker,
  stack: DockerStack,
  marked: readonly DockerThing[],
  named: readonly string[],
): Promise<FoundVolume[]> {
  const all = [...marked];
  for (const name of new Set(named)) {
    if (all.some((each) => each.name === name)) continue;
    const volume = await ownVolume(docker, stack, name);
    if (volume !== undefined) all.push(volume);
  }
  if (all.length === 0) return [];
  const sizes = await volumeSizes(docker);
  return all.map((each) => ({ ...each, bytes: sizes.get(each.name) }));
}

/** Removes a volume that has the stack's marks. Does nothing if it is already gone. */
export async function removeOwnVolume(docker: Docker, stack: DockerStack, name: string): Promise<void> {
  const volume = await ownVolume(docker, stack, name);
  if (volume !== undefined) await removeVolume(docker, volume);
}

async function ownVolume(docker: Docker, stack: DockerStack, name: string): Promise<DockerThing | undefined> {
  const labels = await labelsOfVolume(docker, name);
  if (labels === undefined) return undefined;
  const { project, stack: stackName, owners } = stack;
  const isOwn =
    labels["pgroundwork.project"] === project &&
    labels["pgroundwork.stack"] === stackName &&
    owners.includes(labels["pgroundwork.owner"] ?? "");
  if (isOwn) return { id: name, name, role: labels["pgroundwork.role"] ?? "" };
  throw new OperationError(`The volume ${name} does not have the labels of stack "${stackName}". It was not removed.`, {
    hint: "If it does belong to this stack, remove it by hand (`docker volume rm`), then erase again.",
    exitCode: exitCode.notAllowed,
  });
}

/** Returns the labels of a volume. Returns undefined if the volume does not exist. */
async function labelsOfVolume(docker: Docker, name: string): Promise<Record<string, string> | undefined> {
  const volume = await unlessMissing(docker.getVolume(name).inspect());
  return volume && (volume.Labels ?? {});
}

/** Error of an engine that measures its disk usage for another client. It measures for one at a time. */
const measuring = "a disk usage operation is already running";

async function volumeSizes(docker: Docker): Promise<Map<string, number>> {
  const { default: pRetry } = await import("p-retry");
  const { Volumes: volumes } = (await pRetry(() => docker.df(), {
    ...{ retries: 60, minTimeout: 500, factor: 1 },
    shouldRetry: ({ error }) => error.message.includes(measuring),
  })) as { Volumes: Docker.VolumeInspectInfo[] | null };
  return new Map(
    (volumes ?? []).flatMap(({ Name, UsageData }) => {
      const size = UsageData?.Size ?? -1;
      return size < 0 ? [] : [[Name, size] as const];
    }),
  );
}
