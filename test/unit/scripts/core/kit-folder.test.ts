import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";
import { packageAccount } from "../../../support/package-account.ts";

const run = promisify(execFile);

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "pgw project of root "));
});
afterEach(() => rm(project, { recursive: true }));

it.skipIf(packageAccount.uid === undefined)(
  "a project directory that this user cannot write to is named in an error with a hint (needs root)",
  async () => {
    const script = `const { ignoreOwnFolder } = await import(process.argv[1]);
      try { ignoreOwnFolder(process.argv[2]); } catch ({ name, message, hint }) { console.log([name, message, hint].join("\\n")); }`;
    const module = join(cloneRoot, "scripts", "core", "kit-folder.ts");
    const { stdout } = await run(process.execPath, ["--eval", script, module, project], packageAccount);
    expect(stdout).toContain(`OperationError\nThe project directory ${project} cannot be written: EACCES`);
    expect(stdout).toContain("Make it writable for this user.");
  },
);
