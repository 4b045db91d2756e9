import { exec } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { OperationError } from "../errors/operation-error.ts";
import { redact } from "../errors/redact.ts";
import { runSql } from "../sql/run-sql.ts";
import { withClient } from "../target/client.ts";
import { type Connection, connectionUrl, inDatabase } from "../target/connection.ts";
import { withAuthorityFile } from "../tls/authority-file.ts";
import type { GraphileSession, Hook, HookName } from "./graphile-migrate.ts";

const run = promisify(exec);

/** What graphile-migrate gives a command instead of DATABASE_URL, so that it is not run on another database by mistake. */
const instead = "postgres://PLEASE:USE@GM_DBURL/INSTEAD";
/** Of a command's output, in bytes. */
const mostOutput = 50 * 2 ** 20;

export interface HookRun {
  session: GraphileSession;
  /** The database's folder, which files of hooks are relative to. */
  folder: string;
  connection: Connection;
  /** Who hooks marked `root` run as; undefined: nobody can. */
  admin: Connection | undefined;
  /** Whether this is a shadow or scratch database. */
  shadow: boolean;
  /** A command's output, and each hook as it runs. */
  onOutput?: ((text: string) => void) | undefined;
}

/**
 * Runs the hooks of `.gmrc` that belong to one moment, in their order, as graphile-migrate does: SQL files, and commands with GM_DBNAME, GM_DBUSER,
 * GM_DBURL and GM_SHADOW in their environment.
 *
 * @throws SqlFileError for a file; OperationError for a command that fails, or where one needs a login that is not known
 */
export async function runHooks(name: HookName, { shadow, ...hookRun }: HookRun): Promise<void> {
  for (const hook of hookRun.session.hooks[name]) {
    if (hook.shadow !== undefined && hook.shadow !== shadow) continue;
    const as = hook.root === true ? rootFor(hook, name, hookRun) : hookRun.connection;
    if (hook._ === "sql") await runFile(name, hook.file, as, hookRun);
    else await withAuthorityFile(as, (connection) => runCommand(name, hook, connection, shadow, hookRun));
  }
}

function rootFor(hook: Hook, name: HookName, { admin, connection }: Omit<HookRun, "shadow">): Connection {
  if (admin !== undefined) return inDatabase(admin, connection.database);
  const what = hook._ === "sql" ? hook.file : hook.command;
  throw new OperationError(`The hook ${name} of .gmrc runs "${what}" as root, and no such login is known.`, {
    remedy: "Name one in ROOT_DATABASE_URL.",
  });
}

async function runFile(
  name: HookName,
  file: string,
  as: Connection,
  { session, folder, onOutput }: Omit<HookRun, "shadow">,
): Promise<void> {
  const text = await readFile(path.join(folder, file), "utf8").catch((cause: unknown) => {
    throw new OperationError(`The hook ${name} of .gmrc names ${file}, which cannot be read in ${folder}.`, { cause });
  });
  onOutput?.(`hook ${name}: ${file}`);
  await withClient(
    as,
    async (client) => {
      const source = { file: `${file} (hook ${name})`, text, start: 0, compile: session.compile };
      await runSql(client, source, "Correct the hook's file, or take it out of .gmrc, and run again.");
    },
    "pgroundwork migrate, hook",
  );
}

async function runCommand(
  name: HookName,
  hook: Extract<Hook, { _: "command" }>,
  as: Connection,
  shadow: boolean,
  { session, connection, onOutput }: Omit<HookRun, "shadow">,
): Promise<void> {
  onOutput?.(`hook ${name}: ${hook.command}`);
  const env = {
    ...process.env,
    DATABASE_URL: instead,
    GM_DBNAME: connection.database,
    ...(hook.root === true ? {} : { GM_DBUSER: as.user }),
    GM_DBURL: connectionUrl(as),
    ...(shadow ? { GM_SHADOW: "1" } : {}),
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
        remedy: "Mend what the command needs, and run again.",
        cause,
      },
    );
  }
}
