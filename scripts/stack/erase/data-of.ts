import { begunErasure, isVolumesPlace } from "../begun-erasure.ts";
import type { ServerKind } from "../declared-settings.ts";
import { ownStateFile } from "../original.ts";
import { ownersOf } from "../stack-owners.ts";
import type { StateAccess } from "../stack-state.ts";
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
export function dataOf(access: StateAccess, home: string, survey: Survey): readonly [StackData, ...StackData[]] {
  const { content, settings } = survey;
  const embedded = embeddedData(access, home, survey);
  const docker = inDocker(access, home, survey);
  const kinds: Record<ServerKind, () => readonly StackData[]> = {
    embedded: () => [embedded],
    docker: () => docker,
    external: () => [externalData(access, survey)],
  };
  const own = kinds[content.kind ?? settings.kind]();
  const [first = embedded, ...others] = [...new Set([...own, ...docker, embedded])];
  return [first, ...others];
}

/** Returns one entry for each engine that may have objects of the stack. */
function inDocker(access: StateAccess, home: string, { content, settings, owner }: Survey): StackData[] {
  const begun = begunErasure(access.root, access.stack).filter(isVolumesPlace);
  const hosts = [
    ...(content.docker === undefined ? [] : [content.docker.host]),
    ...(settings.docker === undefined ? [] : [settings.docker.host]),
    ...begun.map(({ dockerHost }) => dockerHost),
  ];
  const [ownMark = ""] = ownersOf(access, undefined);
  const owners = [...ownersOf(access, content.docker?.owner), ...begun.map((place) => place.owner)];
  const { root } = access;
  const isLocal = ownStateFile({ root, project: owner.project, stack: owner.stack, env: process.env }) !== undefined;
  const stack = { project: owner.project, stack: owner.stack, owners: [...new Set(owners)] };
  return [...new Set(hosts)].map((host) => {
    const there = begun.filter(({ dockerHost }) => dockerHost === host);
    return dockerData(access, { host, home, isLocal, stack, content, ownMark, begun: there });
  });
}
