import { resolve } from "node:path";
import type { EngineInstallation } from "../engine/ensure-engine.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import type { Connection, SslMode } from "../target/connection.ts";
import { writeAuthorityFile } from "../tls/authority-file.ts";
import { EngineFailure, engineRemedy } from "./engine-failure.ts";
import { runEngine } from "./engine-process.ts";
import { requireStackSecrets } from "./stack-secrets.ts";
import { requireDeclared, saysNoSuchStack } from "./stacks.ts";

/** How to log in as one role. */
export interface LoginOutput {
  user: string;
  password: string;
}

/** What the program exports of one database. */
export interface DatabaseOutput {
  logins: Record<string, LoginOutput>;
  /** Applied files, oldest first. */
  migrations: string[];
  /** Sets in the order in which they are applied. */
  seeds: { set: string; applied: string[] }[];
}

/** What the program exports of the server, with what finds it and its data by its kind. */
export type ServerOutput = {
  host: string;
  port: number;
  sslmode: SslMode;
  /** Authorities to trust, PEM, where it has any of its own. */
  caCertificate?: string;
  /** A file with them. */
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
      /** Marks in the engine what is this stack's, beside those of other clones that bear its name. */
      owner: string;
      /** Absent: none are made. */
      backups?: BackupsOutput;
    }
  | { kind: "external" }
);

/** What the program exports of a server's backups. */
export interface BackupsOutput {
  /** The container that makes them. */
  container: string;
  image: string;
  /** Names of volumes. */
  volumes: { repository: string; data: string; configuration: string; run: string };
  /** In cron's syntax, UTC. */
  schedule: { full: string; incremental: string };
  retentionDays: number;
  /** What they are encrypted with. */
  passphrase: string;
}

/** What the program exports (`infra/program.ts`). */
export interface StackOutputs {
  /** Whether it holds real data. */
  protected: boolean;
  server: ServerOutput;
  databases: Record<string, DatabaseOutput>;
  /** Where the stack is watched, if it is: URLs. */
  monitoring?: { prometheus: string };
}

/**
 * Reads a stack's outputs from its state.
 *
 * @param secrets whether passwords are in it, or `[secret]` in their place
 * @throws OperationError (wrong usage) for a stack that there is not, or that nothing was brought up in
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
  const exit = await runEngine(engine, { root, args, onLine: (line) => lines.push(line) });
  if (exit.code !== 0) {
    if (!saysNoSuchStack(exit.stderr))
      throw new EngineFailure(
        `The outputs of stack "${stack}" could not be read.`,
        [exit.stderr.trim()],
        false,
        engineRemedy([exit.stderr], root, stack),
      );
    await requireDeclared(root, stack);
    throw notUp(stack);
  }
  const outputs = JSON.parse(lines.join("\n")) as Partial<StackOutputs>;
  if (outputs.server === undefined || outputs.databases === undefined) throw notUp(stack);
  const server = { ...outputs.server, ...authorities(outputs.server, root, stack) };
  const { databases, monitoring } = outputs;
  return { protected: outputs.protected ?? false, server, databases, ...(monitoring && { monitoring }) };
}

/** The file with the authorities to trust: the clone's own with those of the stack, or the one that the settings name. */
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

/**
 * The connection of a role to a database of a stack.
 *
 * @throws OperationError (wrong usage) naming the databases or roles that there are
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
    throw new OperationError(`There is no role "${role}" to log in as. There are: ${roles.join(", ")}.`, {
      exitCode: exitCode.usage,
    });
  }
  const { host, port, sslmode, sslrootcert } = outputs.server;
  return { host, port, sslmode, sslrootcert, database, user: login.user, password: login.password };
}

/** The one database that is meant where none is named. */
export function onlyDatabase(outputs: StackOutputs, stack: string): string {
  const names = Object.keys(outputs.databases);
  const [name] = names;
  if (names.length === 1 && name !== undefined) return name;
  throw new OperationError(`Stack "${stack}" has ${names.length} databases: ${names.join(", ")}.`, {
    remedy: "Say which with --database.",
    exitCode: exitCode.usage,
  });
}

function notUp(stack: string): OperationError {
  return new OperationError(`Stack "${stack}" is not up.`, {
    remedy: stack === "local" ? "Run `npm run up`." : `Run \`npm run up -- --stack ${stack}\`.`,
  });
}
