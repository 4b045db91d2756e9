import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../../connection/connection.ts";
import { ConnectionError } from "../../../connection/connection-error.ts";
import { OperationError } from "../../../core/operation-error.ts";
import { type Facts, requireUnchanged } from "../../../core/unchanged.ts";
import { upCommand } from "../../../model/command-lines.ts";
import { dropUnusedSalt } from "../../../stack/encryption-salt.ts";
import { rolesOf } from "../../../stack/erase/drop-database.ts";
import { erasableDatabases, eraseDatabases, halfErased } from "../../../stack/erase/erase-databases.ts";
import { eraseStack } from "../../../stack/erase/erase-stack.ts";
import { type DatabaseLoss, measureDatabases } from "../../../stack/erase/losses.ts";
import type { ErasableData } from "../../../stack/erase/stack-data.ts";
import type { Survey } from "../../../stack/erase/survey.ts";
import { eraseTargets } from "../../../stack/erase/targets.ts";
import { resourceFacts } from "../../../stack/stack-content.ts";
import { declaredStacks } from "../../../stack/stacks.ts";
import { removeCaFile } from "../../../tls/ca-file.ts";
import type { CommandContext } from "../../context.ts";
import { showStep } from "../../step.ts";
import { requireTyped } from "../../typed-name.ts";
import { destroyByEngine, underLock } from "./destroy-by-engine.ts";
import type { Destruction } from "./destruction.ts";
import { describeLastBackup } from "./last-backup.ts";
import { type DatabasePlan, describeDatabasePlans, describeLeft, describeStackPlan } from "./texts.ts";

/** Access to the stack's server: a connection, or the reason why there is none. */
type Access = { admin: Connection; databases: string[] } | { reason: string; databases: string[] };

type ErasePlan = Omit<DatabasePlan, "lastBackup">;

/** Erases the named databases, or the stack as a whole. */
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
  const { root, name: stack } = destruction.stack;
  const targets = eraseTargets(names, stack, databases, await declaredStacks(root));
  if (targets.stack) await eraseWhole(destruction, server);
  else await eraseSome(destruction, server, targets.databases);
}

async function reach({ survey, data: [server] }: Destruction): Promise<Access> {
  const reached = await server.admin();
  if ("reason" in reached) return { reason: reached.reason, databases: survey.content.databases };
  const admin = reached.connection;
  try {
    return { admin, databases: await erasableDatabases(survey, admin) };
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { reason: error.message, databases: survey.content.databases };
  }
}

async function eraseSome(destruction: Destruction, server: Access, names: readonly string[]) {
  const { context, survey, yes } = destruction;
  const { name: stack } = destruction.stack;
  if (!("admin" in server)) {
    throw new OperationError(
      `A database of stack "${stack}" can be dropped only while its server is reachable: ${server.reason}.`,
      {
        hint: `Run \`${upCommand(stack)}\`, then this command again.`,
      },
    );
  }
  const { admin } = server;
  const plans = await plansFor(survey, admin, names);
  context.out.note(
    describeDatabasePlans(
      stack,
      await Promise.all(
        plans.map(async (plan) => ({ ...plan, lastBackup: await describeLastBackup(destruction, plan.name) })),
      ),
    ),
  );
  if (!yes) await requireTyped(context, names, `Erasing ${names.join(", ")}`);

  const requireAsShown = async () => {
    const again = await destruction.lookAgain();
    const now = await plansFor(again.survey, admin, names);
    requireUnchanged(`Stack "${stack}"`, plans.flatMap(planFacts), now.flatMap(planFacts));
  };
  // A stack without a state has no lock.
  const locked = <T>(work: () => Promise<T>) => (survey.state === undefined ? work() : underLock(context, stack, work));
  const roles = await shown(context, (onStep) =>
    eraseDatabases({ stack: destruction.stack, admin, names, onStep, check: requireAsShown, locked }),
  );
  for (const line of describeLeft({ roles })) context.out.warn(line);
  const declaredNames = plans.filter(({ declared }) => declared).map(({ name }) => name);
  context.out.answer({ stack, erased: plans, left: { roles } }, () =>
    [
      `${names.join(", ")} erased; the rest of stack "${stack}" is unchanged`,
      ...(declaredNames.length === 0
        ? []
        : [`\`${upCommand(stack)}\` creates ${declaredNames.join(", ")} again, empty.`]),
    ].join("\n"),
  );
}

async function plansFor(survey: Survey, admin: Connection, names: readonly string[]): Promise<ErasePlan[]> {
  const losses = await measureDatabases(admin, names);
  const plans: ErasePlan[] = [];
  for (const name of names) {
    const loss = losses.find((each) => each.name === name);
    const declared = survey.settings.databases.includes(name);
    plans.push({ name, loss, roles: await rolesOf(admin, name), declared });
  }
  return plans;
}

function planFacts({ name, loss, roles, declared }: ErasePlan): Facts {
  return [
    loss === undefined ? `no database ${name}` : factOf(loss),
    ...roles.map((role) => `role ${role}`),
    ...(declared ? [`${name} in the settings`] : []),
  ];
}

async function eraseWhole(destruction: Destruction, server: Access): Promise<void> {
  const { context, survey, data, yes } = destruction;
  const { name: stack } = destruction.stack;
  const erasable = await Promise.all(data.map((each) => each.find()));
  const places = erasable.flatMap((each) => [...each.places, ...each.begun]);
  const kept = erasable.flatMap(({ summary }) => summary ?? []);
  if (survey.state === undefined && places.length === 0) {
    const nothing = kept.length === 0 ? "no resources and no data" : "no resources";
    context.out.answer({ stack, erased: null }, () =>
      [`Stack "${stack}" has ${nothing}: there is nothing to erase.`, ...kept].join("\n"),
    );
    return;
  }
  const { resources } = survey.content;
  const databases = await lossesOn(server);
  const facts = factsOf(survey, erasable, databases);
  const found = erasable.flatMap((each) => each.found);
  const settings = settingsFile(context.root, stack);
  context.out.note(
    describeStackPlan(stack, resources, { found, kept }, databases, await describeLastBackup(destruction), settings),
  );
  if (!yes) await requireTyped(context, [stack], `Erasing stack "${stack}"`);

  const requireAsShown = async () => {
    const again = await destruction.lookAgain();
    const erasableNow = await Promise.all(again.data.map((each) => each.find()));
    const databasesNow = await lossesOn(await reach({ ...destruction, ...again }));
    requireUnchanged(`Stack "${stack}"`, facts, factsOf(again.survey, erasableNow, databasesNow));
  };
  const takeDown = async (begin: () => void) => {
    const check = () => requireAsShown().then(begin);
    // A stack without a state has no lock.
    await (survey.state === undefined ? check() : destroyByEngine(context, stack, check));
  };
  const erasure = { stack: destruction.stack, data: erasable, takeDown, signal: context.signal };
  const files = await shown(context, (onStep) => eraseStack({ ...erasure, onStep }));
  for (const line of describeLeft({ files })) context.out.warn(line);
  // It would bind the next stack of this name to the passphrase of the erased one.
  await dropUnusedSalt(context.root, stack);
  await removeCaFile(context.root, stack);
  const erased = {
    servers: found.map(({ told }) => told),
    databases: typeof databases === "string" ? null : databases,
  };
  context.out.answer({ stack, erased, left: files }, () =>
    [
      `stack "${stack}" is erased`,
      ...kept,
      `\`${upCommand(stack)}\` creates it again with the settings in ${settingsFile(context.root, stack) ?? "Pulumi.yaml"}.`,
    ].join("\n"),
  );
}

async function lossesOn(server: Access): Promise<DatabaseLoss[] | string> {
  return "admin" in server ? measureDatabases(server.admin, server.databases) : server.reason;
}

/**
 * Lists everything that will be erased. Sizes, rows and sessions are left out, because they change while applications
 * work.
 */
function factsOf(survey: Survey, erasable: readonly ErasableData[], databases: DatabaseLoss[] | string): Facts {
  const losses = typeof databases === "string" ? [databases] : databases.map(factOf);
  return [...resourceFacts(survey.state), ...erasable.flatMap(({ facts }) => facts), ...losses];
}

function factOf({ name, oid, content }: DatabaseLoss): string {
  return `database ${name} (oid ${oid}), ${content === undefined ? "closed" : `${content.tables} tables`}`;
}

/** Shows the steps of work. */
async function shown<T>(context: CommandContext, work: (onStep: (step: string) => void) => Promise<T>): Promise<T> {
  const result = await work((step) => showStep(context.out, step));
  context.out.endStep();
  return result;
}

/** Returns the name of a stack's settings file, if it exists. A stack without one has the settings in Pulumi.yaml. */
function settingsFile(root: string, stack: string): string | undefined {
  const name = `Pulumi.${stack}.yaml`;
  return existsSync(join(root, name)) ? name : undefined;
}
