import { resolve } from "node:path";
import type { Connection } from "../connection/connection.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { upCommand } from "../model/command-lines.ts";
import type { ServerOutput, StackOutputs } from "../model/stack-outputs.ts";
import { writeCaFile } from "../tls/ca-file.ts";
import { backendNote, fromBackend } from "./backend.ts";
import { declaredAccess } from "./declared-access.ts";
import { EngineFailure, engineHint } from "./engine-failure.ts";
import { readOnStack } from "./engine-process.ts";
import { describeHolder } from "./lock-holder.ts";
import type { Stack } from "./stack.ts";
import { stackContent, stackOutputsIn } from "./stack-content.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { plainValue, readState } from "./stack-state.ts";
import { requireDeclared, saysNoSuchStack } from "./stacks.ts";
import { livingLockHolder, stateFile } from "./state-file.ts";
import { declaredStateFolder } from "./state-folder.ts";

/**
 * Reads a stack's outputs from its state.
 *
 * @param secrets true to include passwords; false for `[secret]` in their place
 * @throws OperationError (wrong usage) if the stack is unknown, or was not brought up
 */
export async function readOutputs(stack: Stack, secrets: boolean): Promise<StackOutputs> {
  requireStackSecrets(stack);
  const { root, name } = stack;
  const outputs = secrets ? await outputsWithPasswords(stack) : await maskedOutputs(stack);
  if (outputs.server === undefined || outputs.databases === undefined) {
    const { resources } = stackContent(await readState(stack));
    throw notUp(stack, resources);
  }
  const server = { ...outputs.server, ...trustOf(outputs.server, root, name) };
  const { databases, monitoring } = outputs;
  return { protected: outputs.protected ?? false, server, databases, ...(monitoring && { monitoring }) };
}

/**
 * Reads the outputs with the passwords that the stack's roles have in the state. The outputs are of the last `up` that
 * completed, and one that failed later may have changed passwords.
 */
async function outputsWithPasswords(stack: Stack): Promise<Partial<StackOutputs>> {
  const state = await readState(stack, true);
  if (state === undefined) {
    await requireDeclared(stack.root, stack.name);
    throw notUp(stack);
  }
  const outputs = plainValue(stackOutputsIn(state)) as Partial<StackOutputs>;
  const { passwords } = declaredAccess(state.deployment.resources ?? []);
  const logins = [outputs.server?.logins, ...Object.values(outputs.databases ?? {}).map((each) => each.logins)];
  for (const login of logins.flatMap((each) => Object.values(each ?? {})))
    login.password = passwords[login.user] ?? login.password;
  return outputs;
}

/** Reads the outputs with `[secret]` in the place of passwords. */
async function maskedOutputs(stack: Stack): Promise<Partial<StackOutputs>> {
  const { root, name } = stack;
  const exit = await readOnStack(stack, ["stack", "output", "--stack", name, "--json"]);
  if (exit.code !== 0) {
    if (!saysNoSuchStack(exit.stderr))
      throw new EngineFailure(
        `Cannot read the outputs of stack "${name}"${fromBackend(root, name, process.env)}.`,
        [exit.stderr.trim()],
        false,
        engineHint([exit.stderr], root, name),
      );
    await requireDeclared(root, name);
    throw notUp(stack);
  }
  return JSON.parse(exit.stdout) as Partial<StackOutputs>;
}

/**
 * Returns the path of the CA file. If the stack has its own CA, the file is written to the project directory. Otherwise
 * it is the file in the settings.
 */
function trustOf({ caCertificate, sslrootcert }: ServerOutput, root: string, stack: string): { sslrootcert?: string } {
  if (caCertificate !== undefined) return { sslrootcert: writeCaFile(root, stack, caCertificate) };
  return sslrootcert === undefined ? {} : { sslrootcert: resolve(root, sslrootcert) };
}

/** Logins of the server itself, which work in every database. */
const serverLogins = ["superuser", "monitor", "backup"];

/** Returns the connection of the server's superuser to the database `postgres`. */
export function serverConnection({ server }: StackOutputs): Connection {
  const { host, port, sslmode, sslrootcert, logins } = server;
  const { user, password } = logins.superuser ?? { user: "postgres", password: "" };
  return {
    host,
    port,
    sslmode,
    ...(sslrootcert === undefined ? {} : { sslrootcert }),
    database: "postgres",
    user,
    password,
  };
}

/**
 * Returns the connection of a role to a database of a stack.
 *
 * @throws OperationError (wrong usage) that lists the existing databases or roles
 */
export function connectionTo(outputs: StackOutputs, stack: string, database: string, role: string): Connection {
  const found = outputs.databases[database];
  if (found === undefined) {
    throw new OperationError(
      `Stack "${stack}" has no database "${database}". It has: ${Object.keys(outputs.databases).join(", ")}.`,
      {
        exitCode: exitCode.usage,
      },
    );
  }
  const login = serverLogins.includes(role) ? outputs.server.logins[role] : found.logins[role];
  if (login === undefined) {
    const roles = [...Object.keys(found.logins), ...serverLogins];
    throw new OperationError(`The role "${role}" does not exist. Roles with a login: ${roles.join(", ")}.`, {
      exitCode: exitCode.usage,
    });
  }
  const { host, port, sslmode, sslrootcert } = outputs.server;
  return { host, port, sslmode, sslrootcert, database, user: login.user, password: login.password };
}

/**
 * Requires that a stack can have a state, before an engine is looked for: on a new machine, that means to build one for
 * minutes. Only a folder on this machine is looked into. Everything else is left to {@link readOutputs}.
 *
 * @throws OperationError (wrong usage) if the stack is unknown, or was not brought up
 */
export async function requireState(root: string, name: string): Promise<void> {
  const isHere = declaredStateFolder(root, name, process.env) !== undefined;
  if (!isHere || stateFile(root, name, process.env) !== undefined) return;
  await requireDeclared(root, name);
  throw notUp({ root, name });
}

/** @param resources number of resources that an `up` has created before it failed */
function notUp({ root, name }: Pick<Stack, "root" | "name">, resources = 0): OperationError {
  const partly = "No `up` has completed yet, but ";
  const created = resources === 1 ? "one resource was created. " : `${resources} resources were created. `;
  const holder = livingLockHolder(root, name, process.env);
  const next =
    holder === undefined
      ? `Run \`${upCommand(name)}\`.`
      : `Another run works on it: ${describeHolder(holder)}. Wait for it to end, then try again.`;
  const where = backendNote(root, name, process.env);
  const hint = [`${resources > 0 ? partly + created : ""}${next}`, ...(where === undefined ? [] : [where])].join(" ");
  return new OperationError(`Stack "${name}" is not up.`, { hint });
}
