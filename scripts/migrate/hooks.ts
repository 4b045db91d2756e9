import { exec } from "node:child_process";
import { promisify } from "node:util";
import { withClient } from "../connection/client.ts";
import { type Connection, connectionUrl, inDatabase } from "../connection/connection.ts";
import { describeSource, type FileSource, readSource } from "../core/file-source.ts";
import { OperationError } from "../core/operation-error.ts";
import { redact } from "../core/redact.ts";
import { decodeUtf8 } from "../core/utf8.ts";
import { withFile } from "../sql/file-session.ts";
import { runSql } from "../sql/run-sql.ts";
import { withCaFile } from "../tls/ca-file.ts";
import { requireContent } from "./content.ts";
import type { GraphileSession, Hook, HookName } from "./graphile-migrate.ts";

const run = promisify(exec);

/** DATABASE_URL that graphile-migrate gives to a command, so that it does not run on another database by mistake. */
const instead = "postgres://PLEASE:USE@GM_DBURL/INSTEAD";
/** Limit of a command's output, in bytes. */
const mostOutput = 50 * 2 ** 20;

/** Settings for the run of hooks. */
export interface HookRun {
  session: GraphileSession;
  /** The database's folder, or its files. Files of hooks are relative to it. */
  folder: FileSource;
  connection: Connection;
  /** Login for hooks marked `root`; undefined if none is known. */
  admin: Connection | undefined | (() => Promise<Connection>);
  /**
   * True for a scratch database. Only SQL files run there: a command can write anywhere on this machine, and a command
   * line that only reads must not do that.
   */
  shadow: boolean;
  /** Called for each command that is skipped in a scratch database. */
  onSkipped?: ((hook: string) => void) | undefined;
  /** Receives each hook as it runs, and a command's output. */
  onOutput?: ((text: string) => void) | undefined;
}

/**
 * Runs the hooks of `.gmrc` for one moment, in order, as graphile-migrate does: SQL files, and commands with GM_DBNAME,
 * GM_DBUSER and GM_DBURL in their environment. In a scratch database it runs only the SQL files.
 *
 * @throws SqlFileError for a file; OperationError if a command fails, or if a hook needs a login that is not known
 */
export async function runHooks(name: HookName, { shadow, ...hookRun }: HookRun): Promise<void> {
  for (const hook of hookRun.session.hooks[name]) {
    if (hook.shadow !== undefined && hook.shadow !== shadow) continue;
    if (hook._ === "command" && shadow) {
      hookRun.onSkipped?.(`${name}: ${hook.command}`);
      continue;
    }
    const as = hook.root === true ? await rootFor(hook, name, hookRun) : hookRun.connection;
    if (hook._ === "sql") await runFile(name, hook.file, as, hookRun);
    else await withCaFile(as, (connection) => runCommand(name, hook, connection, hookRun));
  }
}

async function rootFor(
  hook: Hook,
  name: HookName,
  { admin, connection }: Omit<HookRun, "shadow">,
): Promise<Connection> {
  const login = typeof admin === "function" ? await admin() : admin;
  if (login !== undefined) return inDatabase(login, connection.database);
  const what = hook._ === "sql" ? hook.file : hook.command;
  throw new OperationError(`The hook ${name} of .gmrc runs "${what}" as root, but no root login is configured.`, {
    hint: "Set ROOT_DATABASE_URL.",
  });
}

async function runFile(
  name: HookName,
  file: string,
  as: Connection,
  { session, folder, onOutput }: Omit<HookRun, "shadow">,
): Promise<void> {
  const content = readHookFile(name, file, folder);
  const { text, fault: encodingFault } = decodeUtf8(content);
  const checked = { file: `${file} (hook ${name})`, text, start: 0 };
  await requireContent([{ kind: "hook", source: checked, transactional: false, encodingFault }]);
  onOutput?.(`hook ${name}: ${file}`);
  await withClient(
    as,
    async (client) => {
      const source = { ...checked, compile: session.compile };
      await withFile(client, { file: source.file, settings: session.pgSettings }, () =>
        runSql(client, source, "Correct the hook's file or remove it from .gmrc, then run again."),
      );
    },
    "pgroundwork migrate, hook",
  );
}

/**
 * Returns the content of a hook's SQL file.
 *
 * @throws OperationError if it cannot be read
 */
export function readHookFile(name: HookName, file: string, source: FileSource): Buffer {
  let cause: unknown;
  try {
    const content = readSource(source, file);
    if (content !== undefined) return content;
  } catch (error) {
    cause = error;
  }
  const place = describeSource(source);
  throw new OperationError(`The hook ${name} of .gmrc refers to ${file}, which cannot be read in ${place}.`, { cause });
}

async function runCommand(
  name: HookName,
  hook: Extract<Hook, { _: "command" }>,
  as: Connection,
  { session, connection, onOutput }: Omit<HookRun, "shadow">,
): Promise<void> {
  onOutput?.(`hook ${name}: ${hook.command}`);
  const env = {
    ...process.env,
    DATABASE_URL: instead,
    GM_DBNAME: connection.database,
    ...(hook.root === true ? {} : { GM_DBUSER: as.user }),
    GM_DBURL: connectionUrl(as),
  };
  try {
    const { stdout, stderr } = await run(hook.command, { cwd: session.directory, env, maxBuffer: mostOutput });
    for (const text of [stdout, stderr]) if (text.trim() !== "") onOutput?.(redact(text.trimEnd()));
  } catch (cause) {
    const { code, stdout = "", stderr = "" } = cause as { code?: number; stdout?: string; stderr?: string };
    const said = redact([stdout, stderr].join("\n").trim());
    throw new OperationError(
      `The hook ${name} of .gmrc failed with ${code ?? "a signal"}: ${hook.command}\n${said}`.trim(),
      {
        hint: "Fix the command or what it needs, then run again.",
        cause,
      },
    );
  }
}
