import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** A folder for one project, its home and its data. No other test uses it until it is released. */
export interface ProjectDirectory {
  readonly path: string;
  /** Deletes the content except the project's files, which the next test only has to compare. */
  release(): Promise<void>;
}

/**
 * Claims the first free of the numbered folders.
 *
 * Node.js keys its compile cache by path. A project at a path that was used before starts with compiled code. A new
 * path for each test would compile the program and the plugins again, which takes about 2 s of CPU time.
 */
export async function claimProjectDirectory(scratch: string): Promise<ProjectDirectory> {
  for (let number = 1; ; number += 1) {
    const path = join(scratch, `project-${number}`);
    const claim = `${path}.claimed`;
    if (!(await claimFile(claim))) continue;
    await mkdir(path, { recursive: true, mode: 0o755 });
    return {
      path,
      release: async () => {
        const kept = ["clone"];
        for (const name of await readdir(path)) {
          if (!kept.includes(name)) await rm(join(path, name), { recursive: true, force: true, maxRetries: 5 });
        }
        await rm(claim);
      },
    };
  }
}

/** Creates a file that no other process has created. Returns false if it exists already. */
export async function claimFile(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
