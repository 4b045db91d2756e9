import type { DumpSource } from "../backup/dump/create.ts";
import type { Loaded } from "../backup/dump/load.ts";
import { type DumpSettings, readDumpSettings, readRecipients } from "../backup/dump/settings.ts";
import { type Connection, inDatabase } from "../connection/connection.ts";
import { rootFromEnvironment } from "../connection/environment.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { shellQuote } from "../core/shell.ts";
import type { DumpPlan } from "../model/dump-plan.ts";
import type { ServerOutput } from "../model/stack-outputs.ts";
import { machineDocker } from "../scratch/machine-docker.ts";
import type { ScratchDocker } from "../scratch/request.ts";
import { localStack } from "../stack/local-stack.ts";
import type { CommandContext } from "./context.ts";
import { refuseInCopy } from "./refuse-in-copy.ts";
import { givenConnection, resolveTarget, resolveTargets, type Target, type TargetOptions } from "./target.ts";

/** A database whose dumps a command makes or loads. */
export interface DumpTarget {
  source: DumpSource;
  /** Login to another database of the same server. */
  maintenance: Connection;
  /** True if it belongs to a protected stack. undefined if only a connection is known. */
  isProtected: boolean | undefined;
  /** The stack's server. undefined if only a connection is known. */
  server: ServerOutput | undefined;
  /** Plan of the stack's dumps in `BACKUP_DIR`. undefined if it has none. */
  plan: DumpPlan | undefined;
  /** Options that select this database again, without its password. */
  options: string[];
  /** Name for messages. */
  label: string;
}

/**
 * Finds the databases for a dump: those of the stack or the one that is named. No folder in migrations/ has to match.
 *
 * @throws OperationError (wrong usage) if the options contradict each other
 */
export async function resolveDumpTargets(context: CommandContext, options: TargetOptions): Promise<DumpTarget[]> {
  const connection = givenConnection(context, options);
  if (connection !== undefined) return [ofConnection(context, options, connection)];
  const { stack = localStack } = options;
  const targets = await resolveTargets(context, { ...options, stack }, "superuser");
  return targets.map((target) => dumpTargetOf(context, target, { ...options, stack }));
}

/** Returns the dump target of a database that a data command works on. */
export function dumpTargetOf(context: CommandContext, target: Target, options: TargetOptions): DumpTarget {
  const { admin, connection, docker, database, label, protected: isProtected } = target;
  // Only of a stack it is known.
  if (isProtected === undefined) return connectionTarget(context, options.url, connection);
  const { stack = localStack } = options;
  return {
    source: { connection: admin, database, name: stack, docker },
    maintenance: inDatabase(admin, "postgres"),
    isProtected,
    server: target.server,
    plan: target.server?.dumps,
    options: [...(stack === localStack ? [] : ["--stack", stack]), "--database", database],
    label,
  };
}

/** Finds the one database for a command that loads a dump. */
export async function resolveDumpTarget(context: CommandContext, options: TargetOptions): Promise<DumpTarget> {
  if (givenConnection(context, options) === undefined) await refuseInCopy(context, options.stack ?? localStack);
  const [only, ...others] = await resolveDumpTargets(context, options);
  if (only !== undefined && others.length === 0) return only;
  // Reports the names, with the lines to type.
  await resolveTarget(context, { ...options, stack: options.stack ?? localStack }, "superuser");
  throw new OperationError("The stack has no database.", { exitCode: exitCode.usage });
}

function ofConnection(context: CommandContext, { url, database }: TargetOptions, connection: Connection): DumpTarget {
  if (database !== undefined && database !== connection.database) {
    throw new OperationError(`The connection is to the database "${connection.database}", not "${database}".`, {
      hint: "Leave out --database, or correct the connection.",
      exitCode: exitCode.usage,
    });
  }
  const target = connectionTarget(context, url, connection);
  context.out.note(`target: ${target.label}`);
  return target;
}

function connectionTarget(context: CommandContext, url: string | undefined, connection: Connection): DumpTarget {
  const { user, host, port } = connection;
  const admin = rootFromEnvironment(context.env) ?? connection;
  return {
    source: {
      connection: inDatabase(admin, connection.database),
      database: connection.database,
      name: `${host}:${port}`,
      docker: anyDocker(context),
    },
    maintenance: inDatabase(admin, "postgres"),
    isProtected: undefined,
    server: undefined,
    plan: undefined,
    options: url === undefined ? [] : ["--url", url],
    label: `${user}@${host}:${port}/${connection.database}`,
  };
}

/** Returns this machine's own Docker engine, for work that belongs to no stack. */
export function anyDocker({ root }: CommandContext): ScratchDocker {
  return machineDocker(root);
}

/**
 * Reads BACKUP_DIR, BACKUP_RETENTION_DAYS and BACKUP_COMPRESS.
 *
 * @throws OperationError (wrong usage)
 */
export function dumpSettings({ env, root }: CommandContext): DumpSettings {
  return readDumpSettings(env, root);
}

/** Options that decide about encryption. */
export interface EncryptionOptions {
  encrypt?: boolean;
  recipient?: string[];
}

/**
 * Returns the public keys that a dump is encrypted to: those of the options, else of BACKUP_RECIPIENTS. Empty: it is
 * not encrypted, which is the default unless the stack is protected or a key is given.
 *
 * @throws OperationError (wrong usage) if it must be encrypted and there is no key
 */
export function recipientsFor(
  { env }: CommandContext,
  { encrypt, recipient = [] }: EncryptionOptions,
  isProtected: boolean | undefined,
): string[] {
  if (encrypt === false) {
    if (recipient.length === 0) return [];
    throw new OperationError("--no-encrypt and --recipient exclude each other.", { exitCode: exitCode.usage });
  }
  const recipients = recipient.length > 0 ? recipient : readRecipients(env);
  if (recipients.length > 0 || (encrypt !== true && isProtected !== true)) return recipients;
  const why = encrypt === true ? "" : " The stack is protected, so its dumps are encrypted.";
  throw new OperationError(`There is no key to encrypt the dump to.${why}`, {
    hint: "Create one with `npm run pgw -- dumps key FILE`, keep the file elsewhere, and set BACKUP_RECIPIENTS to its public key. Or use --no-encrypt.",
    exitCode: exitCode.usage,
  });
}

/** Returns the command that loads a dump, as it is typed in the project directory. */
export function restoreCommand({ env }: CommandContext, { options }: Pick<DumpTarget, "options">, id: string): string {
  const words = [id, ...options].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote(word)));
  const folder = env.BACKUP_DIR ? `BACKUP_DIR=${shellQuote(env.BACKUP_DIR)} ` : "";
  return `${folder}npm run db:restore -- ${words.join(" ")}`;
}

/**
 * Ends the replacement of a database: removes expired dumps after the one of the replaced database was made, and warns
 * if it could not be made.
 */
export async function reportReplaced(context: CommandContext, { previous, kept }: Loaded): Promise<void> {
  const { applyRetention } = await import("../backup/dump/store.ts");
  const { folder, retentionDays } = dumpSettings(context);
  if (previous !== undefined) await applyRetention(folder, previous, { days: retentionDays }, new Date());
  context.out.endStep();
  if (kept !== undefined)
    context.out.warn(
      `The replaced database could not be dumped and is kept as "${kept.database}": ${kept.reason} ` +
        "Drop it when you no longer need it.",
    );
}
