import { stopOwn } from "../../erase/server-place.ts";
import type { Survey } from "../../erase/survey.ts";
import { clusterState } from "../../server/cluster.ts";
import { assertOwnToStop } from "../../server/data-directory-claim.ts";
import { findPostmaster } from "../../server/postmaster.ts";
import { requireTyped } from "../cli/typed-name.ts";
import { destroyByEngine } from "./destroy-by-engine.ts";
import type { Destruction } from "./destruction.ts";
import { settingsFile, upCommand } from "./texts.ts";

/** Takes a stack down: everything goes but data and settings. */
export async function takeDown({ run, access, home, survey, yes }: Destruction): Promise<void> {
  const { stack } = access;
  const { resources } = survey.content;
  const { place } = whereabouts(survey);
  await assertOwnToStop(place.dataDirectory, survey.owner);
  const running = await findPostmaster(place.dataDirectory);
  const hasData = (await clusterState(place.dataDirectory)).kind === "cluster";
  const dataDirectory = hasData ? place.dataDirectory : null;
  const data = hasData ? `The data is kept in ${place.dataDirectory}` : `There is no data in ${place.dataDirectory}.`;
  if (resources === 0 && running === undefined) {
    run.out.answer({ stack, resources: 0, stopped: false, dataDirectory }, () =>
      [
        `Stack "${stack}" is not up: there is nothing to take down.`,
        ...(hasData ? [`${data}: ${wayBack(stack, survey)}`] : []),
      ].join("\n"),
    );
    return;
  }
  const names = survey.content.databases;
  const lines = [
    `Stack "${stack}" is taken down:`,
    ...(resources > 0 ? [`  goes   its ${resources} resources in the state, and every generated password`] : []),
    ...(running === undefined ? [] : [`  stops  the server on port ${running.port}`]),
    ...(hasData
      ? [`  stays  the data in ${place.dataDirectory}${names.length > 0 ? `: ${names.join(", ")}` : ""}`]
      : []),
  ];
  run.out.note(lines.join("\n"));
  if (!yes) await requireTyped(run, [stack], `Taking down stack "${stack}"`);

  // Also where the state is empty: the engine refuses while somebody else brings the stack up.
  if (survey.state !== undefined) await destroyByEngine(run, stack);
  // One that no state knows, as a killed `up` leaves it, is still there.
  await stopOwn(home, survey.owner, place);
  const stopped = running !== undefined;
  run.out.answer({ stack, resources, stopped, dataDirectory }, () =>
    [
      `stack "${stack}" is taken down${stopped ? ", its server is stopped" : ""}`,
      hasData ? `${data}: ${wayBack(stack, survey)}` : data,
    ].join("\n"),
  );
}

/** Where the stack's data is, and where `up` would look for it. */
function whereabouts({ content, settings, defaultPlace }: Survey) {
  const expected = settings.dataDirectory ?? defaultPlace.dataDirectory;
  return { place: content.server ?? { ...defaultPlace, dataDirectory: expected }, expected };
}

function wayBack(stack: string, survey: Survey): string {
  const up = `\`${upCommand(stack)}\` takes it back, with new passwords.`;
  const { place, expected } = whereabouts(survey);
  if (expected === place.dataDirectory) return up;
  return `set pgroundwork:dataDirectory to that folder in ${settingsFile(stack)}, then ${up}`;
}
