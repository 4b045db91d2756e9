import type Docker from "dockerode";
import { type DockerStack, type DockerThing, removeVolume } from "../docker/belongings.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";

/** A volume of a stack's. */
export interface FoundVolume extends DockerThing {
  /** What it takes on the engine's disk; undefined: the engine does not say. */
  bytes: number | undefined;
}

/**
 * The volumes that erasing a stack removes: those that bear its marks, and those that its state or an erasure before named.
 *
 * @throws OperationError (not allowed) for one that was named and does not bear them
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

/** Removes a volume that bears the stack's marks; one that is gone is no fault. */
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
  throw new OperationError(
    `The volume ${name} is not marked as stack "${stackName}"'s own in the Docker engine. Nothing of it was removed.`,
    {
      remedy: "If it is this stack's all the same, remove it by hand (`docker volume rm`), then erase again.",
      exitCode: exitCode.notAllowed,
    },
  );
}

/** Undefined: there is no such volume. */
async function labelsOfVolume(docker: Docker, name: string): Promise<Record<string, string> | undefined> {
  const volume = await unlessMissing(docker.getVolume(name).inspect());
  return volume && (volume.Labels ?? {});
}

async function volumeSizes(docker: Docker): Promise<Map<string, number>> {
  const { Volumes: volumes } = (await docker.df()) as { Volumes: Docker.VolumeInspectInfo[] | null };
  return new Map(
    (volumes ?? []).flatMap(({ Name, UsageData }) => {
      const size = UsageData?.Size ?? -1;
      return size < 0 ? [] : [[Name, size] as const];
    }),
  );
}
