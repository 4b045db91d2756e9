import { rolesOf } from "../../erase/drop-database.ts";
import { erasableDatabases, eraseDatabases, halfErased } from "../../erase/erase-databases.ts";
import { eraseStack } from "../../erase/erase-stack.ts";
import { type DatabaseLoss, measureDatabases } from "../../erase/losses.ts";
import { eraseTargets } from "../../erase/targets.ts";
import { OperationError } from "../../errors/operation-error.ts";
import type { Connection } from "../../target/connection.ts";
import { ConnectionError } from "../../target/connection-error.ts";
import { ProgressLine } from "../cli/progress-line.ts";
import { requireTyped } from "../cli/typed-name.ts";
import { destroyByEngine } from "./destroy-by-engine.ts";
import type { Destruction } from "./destruction.ts";
import {
  type DatabasePlan,
  describeDatabasePlans,
  describeLeft,
  describeStackPlan,
  settingsFile,
  upCommand,
} from "./texts.ts";

/** The stack's server as far as it can be asked: a way in, or why there is none. */
type Access = { admin: Connection; databases: string[] } | { reason: string; databases: string[] };

/** Erases what was named: databases, or the stack as a whole. */
export async function eraseNamed(destruction: Destruction, names: readonly string[]): Promise<void> {
  const server = await reach(destruction);
  const rest =
    "admin" in server
      ? await halfErased(
          server.admin,
          names.map((name) => name.replace(/^database:/, "")),
        )
      : [];
  const databases = [...server.databases, ...rest.filter((name) => !server.databases.includes(name))];
  const targets = eraseTargets(names, destruction.access.stack, databases);
  if (targets.stack) await eraseWhole(destruction, server);
  else await eraseSome(destruction, server, targets.databases);
}

async function reach({ survey, data: [server] }: Destruction): Promise<Access> {
  const admin = await server.admin();
  if (admin === undefined) return { reason: "the server does not run", databases: survey.content.databases };
  try {
    return { admin, databases: await erasableDatabases(survey, admin) };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { reason: error.message, databases: survey.content.databases };
  }
}

async function eraseSome({ run, access, survey, yes }: Destruction, server: Access, names: readonly string[]) {
  const { stack } = access;
  if (!("admin" in server)) {
    throw new OperationError(`A database of stack "${stack}" can be dropped by its server alone: ${server.reason}.`, {
      remedy: `Run \`${upCommand(stack)}\`, then again. Or erase everything of the stack: --erase ${stack}.`,
    });
  }
  const { admin } = server;
  const losses = await measureDatabases(admin, names);
  const plans: DatabasePlan[] = [];
  for (const name of names) {
    const loss = losses.find((each) => each.name === name);
    const declared = survey.settings.databases.includes(name);
    plans.push({ name, loss, roles: await rolesOf(admin, name), declared });
  }
  run.out.note(describeDatabasePlans(stack, plans));
  if (!yes) await requireTyped(run, names, `Erasing ${names.join(", ")}`);

  const roles = await shown((onStep) => eraseDatabases(access, admin, names, onStep));
  for (const line of describeLeft({ roles })) run.out.warn(line);
  const anew = plans.filter(({ declared }) => declared).map(({ name }) => name);
  run.out.answer({ stack, erased: plans, left: { roles } }, () =>
    [
      `${names.join(", ")} erased; the rest of stack "${stack}" is as it was`,
      ...(anew.length === 0 ? [] : [`\`${upCommand(stack)}\` makes ${anew.join(", ")} anew, empty.`]),
    ].join("\n"),
  );
}

async function eraseWhole({ run, access, survey, data, yes }: Destruction, server: Access): Promise<void> {
  const { stack } = access;
  const erasable = await Promise.all(data.map((each) => each.find()));
  const places = erasable.flatMap((each) => [...each.places, ...each.begun]);
  if (survey.state === undefined && places.length === 0) {
    run.out.answer({ stack, erased: null }, () => `Nothing of stack "${stack}" is there: there is nothing to erase.`);
    return;
  }
  const { resources } = survey.content;
  const databases: DatabaseLoss[] | string =
    "admin" in server ? await measureDatabases(server.admin, server.databases) : server.reason;
  const found = erasable.flatMap((each) => each.found);
  run.out.note(describeStackPlan(stack, resources, found, databases));
  if (!yes) await requireTyped(run, [stack], `Erasing stack "${stack}"`);

  const takeDown = survey.state === undefined ? undefined : () => destroyByEngine(run, stack);
  const { signal } = run;
  const files = await shown((onStep) => eraseStack({ ...access, data: erasable, takeDown, onStep, signal }));
  for (const line of describeLeft({ files })) run.out.warn(line);
  const erased = {
    servers: found.map(({ told }) => told),
    databases: typeof databases === "string" ? null : databases,
  };
  run.out.answer({ stack, erased, left: files }, () =>
    [
      `stack "${stack}" is erased`,
      `\`${upCommand(stack)}\` begins anew, with the settings in ${settingsFile(stack)}.`,
    ].join("\n"),
  );
}

/** Shows the steps of work while it is done. */
async function shown<T>(work: (onStep: (step: string) => void) => Promise<T>): Promise<T> {
  const progress = new ProgressLine();
  const started = performance.now();
  try {
    return await work((step) => progress.show(step, performance.now() - started));
  } finally {
    progress.clear();
  }
}
