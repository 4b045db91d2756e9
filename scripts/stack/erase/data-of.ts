import { begunErasure, isVolumesPlace } from "../begun-erasure.ts";
import type { ServerKind } from "../declared-settings.ts";
import { ownStateFile } from "../original.ts";
import type { Stack } from "../stack.ts";
import { ownersOf } from "../stack-owners.ts";
import { dockerData } from "./docker-data.ts";
import { embeddedData } from "./embedded-data.ts";
import { externalData } from "./external-data.ts";
import type { StackData } from "./stack-data.ts";
import type { Survey } from "./survey.ts";

/**
 * Returns a stack's data for each kind of server, the stack's own kind first. A stack that changed its kind has data of
 * both.
 *
 * @param home see `dataHome`
 */
export function dataOf(stack: Stack, home: string, survey: Survey): readonly [StackData, ...StackData[]] {
  const { content, settings } = survey;
  const embedded = embeddedData(stack, home, survey);
  const docker = inDocker(stack, home, survey);
  const kinds: Record<ServerKind, () => readonly StackData[]> = {
    embedded: () => [embedded],
    docker: () => docker,
    external: () => [externalData(stack, survey)],
  };
  const own = kinds[content.kind ?? settings.kind]();
  const [first = embedded, ...others] = [...new Set([...own, ...docker, embedded])];
  return [first, ...others];
}

/** Returns one entry for each engine that may have objects of the stack. */
function inDocker(stack: Stack, home: string, { content, settings, owner }: Survey): StackData[] {
  const { root, name } = stack;
  const begun = begunErasure(root, name).filter(isVolumesPlace);
  const hosts = [
    ...(content.docker === undefined ? [] : [content.docker.host]),
    ...(settings.docker === undefined ? [] : [settings.docker.host]),
    ...begun.map(({ dockerHost }) => dockerHost),
  ];
  const [ownMark = ""] = ownersOf(stack, undefined);
  const owners = [...ownersOf(stack, content.docker?.owner), ...begun.map((place) => place.owner)];
  const isLocal = ownStateFile({ root, project: owner.project, stack: name, env: process.env }) !== undefined;
  const inEngine = { project: owner.project, stack: name, owners: [...new Set(owners)] };
  return [...new Set(hosts)].map((host) => {
    const there = begun.filter(({ dockerHost }) => dockerHost === host);
    return dockerData(stack, { host, home, isLocal, stack: inEngine, content, ownMark, begun: there });
  });
}
