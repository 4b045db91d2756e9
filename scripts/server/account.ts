import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { OperationError } from "../core/operation-error.ts";

const run = promisify(execFile);

/** Account that runs PostgreSQL if the kit itself runs as root. PostgreSQL refuses to run as root. */
const accountName = "pgroundwork";

/** Operating system account, with the numeric ids that `spawn` takes. */
export interface Account {
  uid: number;
  gid: number;
}

/**
 * Returns the account to run PostgreSQL as. For an ordinary user it is undefined, which means the caller's own. For
 * root it is the system account `pgroundwork`, created on first use.
 *
 * A separate account instead of `nobody` or `postgres`, because other programs that run as those could read the data
 * directory.
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
    // Another run may have been faster. Only the existence of the account counts.
    const made = await lookUp(accountName);
    if (made !== undefined) return made;
    throw new OperationError(`Cannot create the system account "${accountName}": ${(cause as Error).message.trim()}`, {
      hint: `PostgreSQL refuses to run as root. Create the account by hand (useradd --system ${accountName}), or run as an ordinary user.`,
      cause,
    });
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
    // `id` exits with 1 for an unknown name. Any other error (no `id` at all) is not an answer.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw new OperationError(`Cannot check whether the account "${name}" exists: ${(error as Error).message.trim()}`);
  }
}
