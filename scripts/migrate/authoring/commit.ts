import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { type ApplyOptions, applyMigrations } from "../apply.ts";
import { type CommittedMigration, parseCommitted, readCommitted } from "../committed.ts";
import { type DownFile, downFilename, parseDownFile } from "../down-file.ts";
import { bodyHash } from "../graphile-migrate.ts";
import { draftCommit } from "../graphile-migrate-authoring.ts";
import { readKnownStatus, requireNoProblems } from "../verify.ts";
import { clearDraft, type Draft, isBlank, readDraft, removeCommitted, writeCommitted } from "./draft.ts";
import { tryOut } from "./try-out.ts";

export interface CommitOptions extends ApplyOptions {
  /** Who may make the scratch database. */
  admin: NonNullable<ApplyOptions["admin"]>;
  /** In place of the one in `--! Message:`. */
  message?: string | undefined;
  /** Why there is no way back, in place of `current.down.sql`. */
  irreversible?: string | undefined;
}

export interface Commit {
  /** The committed file's name. */
  filename: string;
  /** What was applied to the database, that file among it. */
  applied: string[];
  /** Whether an earlier run had written it already, and only what was left of it was done. */
  resumed: boolean;
}

/**
 * Makes the migration that is being written a committed one, in graphile-migrate's own format, and applies it, as its `commit` does. Before that it is tried in a scratch database with its
 * way back.
 *
 * @throws OperationError or SqlFileError: the files are as they were then
 */
export async function commitMigration(options: CommitOptions): Promise<Commit> {
  const { connection, admin, folder, message, irreversible } = options;
  const draft = await readDraft(folder);
  const committed = await readCommitted(folder);
  const last = committed.at(-1);
  if (last !== undefined && isCommitted(draft, last)) return resume(options, last);
  if (isBlank(draft.current.body)) {
    throw new OperationError(`${draft.current.path} is blank: there is nothing to commit.`, {
      remedy: 'Begin a migration with `migrate new "what it does"`.',
      exitCode: exitCode.usage,
    });
  }
  requireNoProblems((await readKnownStatus(connection, folder)).problems);
  const { filename, text } = await draftCommit(
    draft.current,
    message ?? draft.current.headers.Message ?? undefined,
    last,
  );
  const migration = await parseCommitted(folder, filename, Buffer.from(text));
  const down = wayBack(draft, filename, irreversible);
  await tryOut({
    connection,
    admin,
    folder,
    committed,
    migration,
    current: draft.current,
    down: down.irreversible === undefined ? down : undefined,
  });
  const files = { [down.filename]: down.text, [filename]: text };
  await writeCommitted(folder, files);
  try {
    const applied = await apply(options);
    await clearDraft(folder);
    return { filename, applied, resumed: false };
  } catch (error) {
    await removeCommitted(folder, Object.keys(files));
    throw error;
  }
}

/** An earlier run was ended between writing the file and emptying what it was made of. */
function isCommitted({ current }: Draft, last: CommittedMigration): boolean {
  return !isBlank(current.body) && bodyHash(current.body, last.previousHash) === last.hash;
}

async function resume(options: CommitOptions, { filename }: CommittedMigration): Promise<Commit> {
  const applied = await apply(options);
  await clearDraft(options.folder);
  return { filename, applied, resumed: true };
}

async function apply(options: CommitOptions): Promise<string[]> {
  const { applied } = await applyMigrations(options);
  return applied.map(({ filename }) => filename);
}

function wayBack({ down }: Draft, filename: string, irreversible: string | undefined): DownFile {
  if (irreversible !== undefined && down !== undefined) {
    throw new OperationError("current.down.sql has a way back, and --irreversible says that there is none.", {
      exitCode: exitCode.usage,
    });
  }
  const text = irreversible === undefined ? down : `--! Irreversible: ${irreversible}\n`;
  const file = text === undefined ? undefined : parseDownFile(downFilename(filename), Buffer.from(text));
  if (file !== undefined) return file;
  throw new OperationError("The migration has no way back: current.down.sql is not there, or blank.", {
    remedy: "Write what undoes it, or say why nothing can: --irreversible REASON.",
    exitCode: exitCode.usage,
  });
}
