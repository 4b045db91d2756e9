import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** State of a project directory in Git. */
export interface GitState {
  /** Checked out commit. null if the folder is not in a repository. */
  commit: string | null;
  /** True if files differ from the commit. */
  isModified: boolean;
}

/** Returns the Git commit of a folder. */
export async function commitOf(root: string): Promise<GitState> {
  try {
    const { stdout: commit } = await execute("git", ["rev-parse", "HEAD"], { cwd: root });
    const { stdout: changed } = await execute("git", ["status", "--porcelain"], { cwd: root });
    return { commit: commit.trim(), isModified: changed.trim() !== "" };
  } catch {
    return { commit: null, isModified: false };
  }
}
