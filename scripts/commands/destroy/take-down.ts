import { requireTyped } from "../cli/typed-name.ts";
import { destroyByEngine } from "./destroy-by-engine.ts";
import type { Destruction } from "./destruction.ts";
import { upCommand } from "./texts.ts";

/** Takes a stack down: everything goes but data and settings. */
export async function takeDown({ run, access, survey, data: [server], yes }: Destruction): Promise<void> {
  const { stack } = access;
  const { resources, databases } = survey.content;
  const { running, hasData, place, goes, stays, wayBack, answer } = await server.look();
  const up = `\`${upCommand(stack)}\` takes it back, with new passwords.`;
  const kept = hasData
    ? `The data is kept in ${place}: ${wayBack === undefined ? up : `${wayBack} ${up}`}`
    : `There is no data in ${place}.`;
  if (resources === 0 && running === undefined && goes.length === 0) {
    run.out.answer({ stack, resources: 0, stopped: false, ...answer }, () =>
      [`Stack "${stack}" is not up: there is nothing to take down.`, ...(hasData ? [kept] : [])].join("\n"),
    );
    return;
  }
  const lines = [
    `Stack "${stack}" is taken down:`,
    ...(resources > 0 ? [`  goes   its ${resources} resources in the state, and every generated password`] : []),
    ...goes.map((what) => `  goes   ${what}`),
    ...(running === undefined ? [] : [`  stops  ${running}`]),
    ...(hasData ? [`  stays  the data in ${place}${databases.length > 0 ? `: ${databases.join(", ")}` : ""}`] : []),
    ...stays.map((what) => `  stays  ${what}`),
  ];
  run.out.note(lines.join("\n"));
  if (!yes) await requireTyped(run, [stack], `Taking down stack "${stack}"`);

  // Also where the state is empty: the engine refuses while somebody else brings the stack up.
  if (survey.state !== undefined) await destroyByEngine(run, stack);
  // What no state knows, as a killed `up` leaves it, is still there.
  await server.stop();
  const stopped = running !== undefined;
  run.out.answer({ stack, resources, stopped, ...answer }, () =>
    [`stack "${stack}" is taken down${stopped ? ", its server is stopped" : ""}`, kept].join("\n"),
  );
}
