import { resolve } from "node:path";
import type { Connection, SslMode } from "../connection/connection.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { upCommand } from "../model/command-lines.ts";
import type { EngineInstallation } from "../pulumi/ensure-engine.ts";
import { writeAuthorityFile } from "../tls/authority-file.ts";
import { backendNote, fromBackend } from "./backend.ts";
import { EngineFailure, engineRemedy } from "./engine-failure.ts";
import { runEngine } from "./engine-process.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { requireDeclared, saysNoSuchStack } from "./stacks.ts";

/** Login of one role. */
export interface LoginOutput {
  user: string;
  password: string;
}

/** Outputs of one database. */
export interface DatabaseOutput {
  logins: Record<string, LoginOutput>;
  /** Applied files, oldest first. */
  migrations: string[];
  /** Sets in the order in which they are applied. */
  seeds: { set: string; applied: string[] }[];
}

/** Outputs of the server, with the location of the server and its data, by kind. */
export type ServerOutput = {
  host: string;
  port: number;
  sslmode: SslMode;
  /** CA certificates in PEM format, if the server has its own CA. */
  caCertificate?: string;
  /** Path of a file with the CA certificates. */
  sslrootcert?: string;
  version: string;
  logins: Record<string, LoginOutput>;
} & (
  | { kind: "embedded"; dataDirectory: string; logDirectory: string }
  | {
      kind: "docker";
      container: string;
      dataVolume: string;
      dockerHost?: string;
      /**
       * Mark of the stack's objects in the engine. It differs from those of other project directories with a stack of
       * this name.
       */
      owner: string;
      /** Absent if backups are off. */
      backups?: BackupsOutput;
    }
  | { kind: "external" }
);

/** Outputs of a server's backups. */
export interface BackupsOutput {
  /** Name of the container that makes backups. */
  container: string;
  image: string;
  /** Names of volumes. */
  volumes: { repository: string; data: string; configuration: string; run: string };
  /** In cron syntax, UTC. */
  schedule: { full: string; incremental: string };
  retentionDays: number;
  /** Passphrase that encrypts the backups. */
  passphrase: string;
}

/** Outputs of the program (`infra/program.ts`). */
export interface StackOutputs {
  /** True if the stack holds real data. */
  protected: boolean;
  server: ServerOutput;
  databases: Record<string, DatabaseOutput>;
  /** URLs of the stack's monitoring, if it has any. */
  monitoring?: { prometheus: string };
}

/**
 * Reads a stack's outputs from its state.
 *
 * @param secrets true to include passwords; false for `[secret]` in their place
 * @throws OperationError (wrong usage) if the stack is unknown, or was not brought up
 */
export async function readOutputs(
  engine: EngineInstallation,
  root: string,
  stack: string,
  secrets: boolean,
): Promise<StackOutputs> {
  requireStackSecrets(engine, root, stack);
  const lines: string[] = [];
  const args = ["stack", "output", "--stack", stack, "--json", ...(secrets ? ["--show-secrets"] : [])];
  const exit = await runEngine(engine, { root, stack, args, onLine: (line) => lines.push(line) });
  if (exit.code !== 0) {
    if (!saysNoSuchStack(exit.stderr))
      throw new EngineFailure(
        `Cannot read the outputs of stack "${stack}"${fromBackend(root, stack, process.env)}.`,
        [exit.stderr.trim()],
        false,
        engineRemedy([exit.stderr], root, stack),
      );
    await requireDeclared(root, stack);
    throw notUp(root, stack);
  }
  const outputs = JSON.parse(lines.join("\n")) as Partial<StackOutputs>;
  if (outputs.server === undefined || outputs.databases === undefined) throw notUp(root, stack);
  const server = { ...outputs.server, ...authorities(outputs.server, root, stack) };
  const { databases, monitoring } = outputs;
  return { protected: outputs.protected ?? false, server, databases, ...(monitoring && { monitoring }) };
}

/**
 * Returns the path of the CA file. If the stack has its own CA, the file is written to the project directory. Otherwise
 * it is the file in the settings.
 */
function authorities(
  { caCertificate, sslrootcert }: ServerOutput,
  root: string,
  stack: string,
): { sslrootcert?: string } {
  if (caCertificate !== undefined) return { sslrootcert: writeAuthorityFile(root, stack, caCertificate) };
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

function notUp(root: string, stack: string): OperationError {
  const up = `Run \`${upCommand(stack)}\`.`;
  const where = backendNote(root, stack, process.env);
  return new OperationError(`Stack "${stack}" is not up.`, { remedy: where === undefined ? up : `${up} ${where}` });
}
