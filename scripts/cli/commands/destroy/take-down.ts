import { requireUnchanged } from "../../../core/unchanged.ts";
import { upCommand } from "../../../model/command-lines.ts";
import { backendNote } from "../../../stack/backend.ts";
import { resourceFacts } from "../../../stack/stack-content.ts";
import { requireTyped } from "../../typed-name.ts";
import { destroyByEngine } from "./destroy-by-engine.ts";
import type { Destruction, FoundStack } from "./destruction.ts";

/** Takes a stack down; only its data and settings stay. */
export async function takeDown(destruction: Destruction): Promise<void> {
  const { context, survey, yes } = destruction;
  const { root, name: stack } = destruction.stack;
  const { resources, databases } = survey.content;
  const shown = await whereabouts(destruction);
  const { running, hasData, place, goes, stays, summary, firstStep, answer } = shown.seen;
  const up = `\`${upCommand(stack)}\` adopts it and sets new passwords.`;
  const ofData = hasData
    ? `The data is kept in ${place}. ${firstStep === undefined ? up : `${firstStep} ${up}`}`
    : `There is no data in ${place}.`;
  const kept = summary === undefined ? ofData : stays.length === 0 ? summary : `${summary}\n${up}`;
  if (resources === 0 && running === undefined && goes.length === 0) {
    const where = survey.state === undefined ? backendNote(root, stack, context.env) : undefined;
    context.out.answer({ stack, resources: 0, stopped: false, ...answer }, () =>
      [
        `Stack "${stack}" is not up: there is nothing to destroy.`,
        ...(hasData || summary !== undefined ? [kept] : []),
        ...(where === undefined ? [] : [where]),
      ].join("\n"),
    );
    return;
  }
  const lines = [
    `Stack "${stack}" will be destroyed:`,
    ...(resources > 0 ? [`  remove  its ${resources} resources in the state, and every generated password`] : []),
    ...goes.map((what) => `  remove  ${what}`),
    ...(running === undefined ? [] : [`  stop    ${running}`]),
    ...(hasData ? [`  keep    the data in ${place}${databases.length > 0 ? `: ${databases.join(", ")}` : ""}`] : []),
    ...stays.map((what) => `  keep    ${what}`),
  ];
  context.out.note(lines.join("\n"));
  if (!yes) await requireTyped(context, [stack], `Destroying stack "${stack}"`);

  let confirmed = shown;
  const requireAsShown = async () => {
    confirmed = await whereabouts(await destruction.lookAgain());
    requireUnchanged(`Stack "${stack}"`, shown.facts, confirmed.facts);
  };
  // Also if the state is empty: the engine refuses while another process brings the stack up. A stack without a state
  // has no lock.
  if (survey.state === undefined) await requireAsShown();
  else await destroyByEngine(context, stack, requireAsShown);
  // Servers that a killed `up` left, and that no state contains, still run.
  await confirmed.server.stop(confirmed.seen);
  const stopped = running !== undefined;
  context.out.answer({ stack, resources, stopped, ...answer }, () =>
    [`stack "${stack}" is destroyed${stopped ? ", its server is stopped" : ""}`, kept].join("\n"),
  );
}

async function whereabouts({ survey, data: [server] }: FoundStack) {
  const seen = await server.look();
  const { hasData, place, stays, facts } = seen;
  const kept = hasData ? [`data in ${place}`] : [];
  return { server, seen, facts: [...resourceFacts(survey.state), ...kept, ...stays, ...facts] };
}
