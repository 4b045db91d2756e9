import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { shellQuote } from "../../../../scripts/core/shell.ts";
import { giveToPackageAccount, packageAccount } from "../../../support/package-account.ts";
import { engineVariables } from "../../../support/processes/quick-engine.ts";
import { processVariables } from "../../../support/processes/variables.ts";
import type { ProjectOnDisk } from "../../../support/versions/project-on-disk.ts";
import { accountCache } from "./account-cache.ts";
import { bin, installPackage } from "./installed.ts";

const run = promisify(execFile);

/** A Pulumi project that uses the package. */
export interface PulumiProject {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stack: string;
  write(file: string, text: string): Promise<void>;
  /**
   * Runs the engine in the environment that `pgw engine env` has printed, and returns its output.
   *
   * @param args arguments in the shell's syntax
   * @param node folder of the program `node` that runs the program and the plugins. Default: the checkout's own
   * @throws Error with all output if the command fails
   */
  pulumi(args: string, node?: string): Promise<string>;
  /** Runs a shell script in the same environment. */
  shell(script: string): Promise<string>;
  /** Destroys the stack and deletes the project. */
  remove(): Promise<void>;
}

export interface ProjectOptions {
  program: string;
  stack: string;
  /** Place of the package: in the node_modules of a folder above, as npm installs workspaces, or as with pnpm. */
  layout: "workspace" | "pnpm";
  /**
   * Takes less CPU time: the program does not load parts of the SDK that it does not use, and the engine writes the
   * state only at the end of an operation. A program of users does neither, so one test is without.
   */
  cheap?: boolean;
}

/**
 * Statement of a program that turns off stack traces. Pulumi takes one of each promise, several for each resource, and
 * its hook maps them to the sources of all modules on the stack, which takes a third of the program's time. Programs of
 * users have them, so one test leaves them on.
 */
export const plainTraces = "Object.assign(Error, { prepareStackTrace: undefined, stackTraceLimit: 0 });\n";

/** Returns the variables of a {@link ProjectOptions.cheap} project. */
function cheapVariables(): NodeJS.ProcessEnv {
  return { ...processVariables(undefined), PULUMI_SKIP_CHECKPOINTS: "true" };
}

/** Variables that could point to another database, another engine, or this test run. */
const foreign = /^(DATABASE_URL$|DB_|PG|PULUMI_|NODE_|VITEST|XDG_|npm_)/;

/**
 * Creates a project with a program in a sub-folder, and initializes its stack. All commands run as a user who cannot
 * write to the packages.
 */
export async function makePulumiProject(options: ProjectOptions): Promise<PulumiProject> {
  const { stack, cheap = false } = options;
  const engine = { ...engineVariables(inject("engineCache")), ...(cheap ? cheapVariables() : {}) };
  const project = await makePackageProject({
    ...{ name: "acme", backend: "state", ...options, account: packageAccount, engine, pgw: "npx pgw" },
  });
  const { root: folder, env: first, write } = project;
  let env: NodeJS.ProcessEnv = { ...first, PULUMI_CONFIG_PASSPHRASE: "a-passphrase-for-tests" };
  const shell = async (script: string) => {
    const options = { cwd: folder, env, maxBuffer: 2 ** 26, ...packageAccount };
    const { stdout } = await run("bash", ["-c", script], options).catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`${script} failed:\n${error.stdout}\n${error.stderr}`);
    });
    return stdout;
  };
  env = await project.engineEnvironment(stack, env);
  const pulumi = (args: string, node = bin) =>
    shell(`PATH=${shellQuote(node)}:$PATH exec pulumi ${args} --stack ${stack} --non-interactive --color never`);
  await pulumi("stack init");
  const remove = async () => {
    // Deletes nothing if the test has done so.
    await pulumi("destroy --yes --skip-preview").catch(() => undefined);
    await project.remove();
  };
  return { folder, env, stack, write, pulumi, shell, remove };
}

/** A project directory with a program that imports the package. It has no stack yet. */
export interface PackageProject extends ProjectOnDisk {
  /** Returns the environment that `pgw engine env` sets up in a shell. */
  engineEnvironment(stack: string, env?: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv>;
  /** Writes a file; the path is relative to the project directory. */
  write(file: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

interface PackageProjectOptions extends Pick<ProjectOptions, "program" | "layout"> {
  /** Name of the Pulumi project. */
  name: string;
  /** Folder of the state, relative to the project directory. */
  backend: string;
  /** Account that runs commands in it. Default: the tests' own. */
  account?: typeof packageAccount;
  /** Variables of the engine that commands run. Default: the user's own engine. */
  engine?: NodeJS.ProcessEnv;
  /** Command that starts `pgw`. Default: its program in the project, which takes less CPU time than `npx pgw`. */
  pgw?: string;
}

/** Creates a project with a program in a sub-folder. */
export async function makePackageProject({
  name,
  program,
  layout,
  backend,
  account = {},
  engine = {},
  pgw = "node_modules/.bin/pgw",
}: PackageProjectOptions): Promise<PackageProject> {
  const { workspace, linked } = await installPackage();
  const own = await mkdtemp(join(inject("scratch"), "pulumi program "));
  // The account of the server must be able to enter the folder of its data.
  await chmod(own, 0o755);
  const root = layout === "workspace" ? await mkdtemp(join(workspace, "member-")) : join(own, "project");
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  for (const folder of ["home", "temporary"]) await mkdir(join(own, folder));
  await mkdir(join(root, backend), { recursive: true });
  const installed = layout === "pnpm" ? linked : workspace;
  if (layout === "pnpm") await symlink(join(linked, "node_modules"), join(root, "node_modules"));
  const { dependencies } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
    dependencies: object;
  };
  await write("package.json", JSON.stringify({ private: true, type: "module", dependencies }));
  await write("infra/program.ts", program);
  const runtime = "runtime: { name: nodejs, options: { typescript: false } }";
  const state = `backend: { url: "file://./${backend}" }`;
  await write("Pulumi.yaml", [`name: ${name}`, runtime, "main: infra/program.ts", state, ""].join("\n"));
  let caches = engine.XDG_CACHE_HOME || process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  if (account.uid !== undefined) {
    caches = await accountCache(engine);
    await mkdir(join(own, "data"));
    await giveToPackageAccount(own, root);
  }
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([variable]) => !foreign.test(variable))),
    ...engine,
    HOME: join(own, "home"),
    PATH: `${bin}:${process.env.PATH}`,
    XDG_CACHE_HOME: caches,
    XDG_DATA_HOME: join(own, "data"),
    // The language host leaves its pipes there.
    TMPDIR: join(own, "temporary"),
  };
  const engineEnvironment = async (stack: string, given: NodeJS.ProcessEnv = { ...env, PGW_OFFLINE: "1" }) => {
    const script = `eval "$(${pgw} engine env --stack ${stack})" && env --null`;
    const { stdout } = await run("bash", ["-c", script], { cwd: root, env: given, ...account });
    const variables = stdout.split("\0").filter((line) => line.includes("="));
    return Object.fromEntries(
      variables.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  };
  const remove = async () => {
    await rm(own, { recursive: true, force: true });
    await rm(root, { recursive: true, force: true });
  };
  return { root, env, dataHome: join(own, "data", "pgroundwork"), engineEnvironment, write, remove };
}
