import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { databaseFolder, readDatabaseFile } from "./database-file.ts";

/**
 * Removes a database's folder from the project directory, with its tests. Git removes it, and refuses if anything would
 * be lost: all of it remains in the history.
 *
 * @param root the project directory
 * @returns the paths that were removed, and those that were kept because Git does not track them; relative to `root`
 * @throws OperationError (exit code usage) if there is no such database; (exit code notAllowed) if Git refuses: nothing
 * was changed
 */
export async function removeDatabase(root: string, name: string): Promise<{ removed: string[]; kept: string[] }> {
  const migrations = join(root, "migrations");
  await readDatabaseFile(migrations, name);
  const paths = [
    `migrations/${name}`,
    `test/embedded/migrations/${name}`,
    `test/embedded/infra/program/${name}.test.ts`,
  ].filter((path) => existsSync(join(root, path)));
  await gitRemove(root, paths, databaseFolder(migrations, name));
  return {
    removed: paths.filter((path) => !existsSync(join(root, path))),
    kept: paths.filter((path) => existsSync(join(root, path))),
  };
}

function gitRemove(root: string, paths: readonly string[], folder: string): Promise<void> {
  const args = ["rm", "-r", "--quiet", "--ignore-unmatch", "--", ...paths];
  return new Promise((resolve, reject) => {
    execFile("git", args, { cwd: root, env: { ...process.env, LC_ALL: "C" } }, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      const reason = error.code === "ENOENT" ? "git is not installed" : stderr.trim();
      const failed = new OperationError(`${folder} was not removed: ${reason}`, {
        hint: "Commit or restore the changes there, then run again. Removed files stay in Git's history.",
        exitCode: exitCode.notAllowed,
        cause: error,
      });
      reject(failed);
    });
  });
}
