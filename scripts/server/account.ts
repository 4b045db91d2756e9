import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { OperationError } from "../errors/operation-error.ts";

const run = promisify(execFile);

/** The account PostgreSQL runs as where the kit itself runs as root, which PostgreSQL refuses. */
const accountName = "pgroundwork";

/** An operating system account: numeric ids as `spawn` wants them. */
export interface Account {
  uid: number;
  gid: number;
}

/**
 * The account to run PostgreSQL as: undefined (the caller's own) for an ordinary user; as root the system account `pgroundwork`, made on first use.
 *
 * An account of its own and not `nobody` or `postgres`: whoever else runs as those could read the data directory.
 */
export async function serverAccount(uid: number | undefined): Promise<Account | undefined> {
  if (uid !== 0) return undefined;
  const existing = await lookUp(accountName);
  if (existing !== undefined) return existing;
  try {
    await run("useradd", [
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir",
      "/nonexistent",
      "--shell",
      "/usr/sbin/nologin",
      accountName,
    ]);
  } catch (cause) {
    // Another run may have been quicker: what counts is whether the account is there now.
    const made = await lookUp(accountName);
    if (made !== undefined) return made;
    throw new OperationError(
      `The system account "${accountName}" could not be made: ${(cause as Error).message.trim()}`,
      {
        remedy: `PostgreSQL refuses to run as root. Make the account by hand (useradd --system ${accountName}), or run as an ordinary user.`,
        cause,
      },
    );
  }
  const made = await lookUp(accountName);
  if (made === undefined)
    throw new OperationError(`useradd reported success, but there is no account "${accountName}".`);
  return made;
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch (error) {
    // `id` exits with 1 for an unknown name. Anything else (no `id` at all) is not an answer.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw new OperationError(`Could not tell whether the account "${name}" exists: ${(error as Error).message.trim()}`);
  }
}
