import { execFile } from "node:child_process";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { cloneRoot } from "../../../clone-root.ts";

const run = promisify(execFile);

/** Prints the URL of every module that is loaded, on stderr. */
const hook = `import { registerHooks } from "node:module";
import { writeSync } from "node:fs";
registerHooks({ load: (url, context, next) => { writeSync(2, url + "\\n"); return next(url, context); } });`;

/** Returns the kit's own modules that a command loads. */
async function loadedBy(...typed: string[]): Promise<string[]> {
  const program = join(cloneRoot, "scripts", "pgw.mjs");
  const args = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, program, ...typed];
  const { stderr } = await run(process.execPath, args);
  const urls = stderr.split("\n").filter((line) => line.startsWith("file:") && !line.includes("/node_modules/"));
  return urls.map((url) => relative(join(cloneRoot, "scripts"), fileURLToPath(url)));
}

it("pgw --version loads no command", async () => {
  const commands = (await loadedBy("--version")).filter((module) => module.startsWith("cli/commands/"));
  expect(commands).toEqual(["cli/commands/command-line.ts"]);
});

it("a command on data loads nothing of stacks, Docker servers and migrations that run, until it needs them", async () => {
  const loaded = await loadedBy("migrate", "up", "--help");
  expect(loaded).toContain("cli/commands/migrate/up.ts");
  const later = /^(stack\/(?!local-stack)|docker\/server|backup|pulumi\/(?!cache-folder)|migrate\/(run-|hooks|apply))/;
  expect(loaded.filter((module) => later.test(module))).toEqual([]);
});
