import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { databaseFolder, readDatabaseFile } from "./database-file.ts";

/**
 * Takes a database's folder out of the clone, with the tests that stand beside it. Git does it, and refuses where something would be lost: all of it is
 * in the history afterwards.
 *
 * @param root the clone
 * @returns the paths that are gone, and those that stay since Git does not know them; relative to the clone
 * @throws OperationError (wrong usage) where there is no such database; (not allowed) where Git refuses: nothing was changed
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
        remedy: "Commit or restore what is changed there, then again: what is removed stays in Git's history.",
        exitCode: exitCode.notAllowed,
        cause: error,
      });
      reject(failed);
    });
  });
}
