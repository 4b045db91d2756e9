import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** User id of `nobody` on Debian, Alpine and Fedora. */
const nobody = 65534;

/**
 * Account that runs the package's commands. If the tests run as root, it is one that can write nowhere but into the
 * folders that it is given, with the group of the Docker engine's socket. Otherwise it is the tests' own.
 */
export const packageAccount: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: nobody, gid: dockerGroup() } : {};

function dockerGroup(): number {
  const socket = statSync("/var/run/docker.sock", { throwIfNoEntry: false });
  // Members of root's group are no ordinary users.
  return socket === undefined || socket.gid === 0 ? nobody : socket.gid;
}

/** Gives folders, with all that is in them, to {@link packageAccount}. */
export async function giveToPackageAccount(...folders: readonly string[]): Promise<void> {
  const { uid, gid } = packageAccount;
  if (uid !== undefined) await run("chown", ["-R", `${uid}:${gid}`, ...folders]);
}

/**
 * Checks that the account cannot write to a folder or anything below it. The tests' own account could, so nothing is
 * checked for it.
 *
 * @throws Error with the first path that it can write
 */
export async function requireReadOnly(folder: string): Promise<void> {
  if (packageAccount.uid === undefined) return;
  const { stdout } = await run("find", [folder, "!", "-type", "l", "-writable", "-print", "-quit"], packageAccount);
  if (stdout !== "") throw new Error(`the account that runs the package can write ${stdout}`);
}
