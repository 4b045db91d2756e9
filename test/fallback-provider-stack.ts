import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { LocalWorkspace, type PulumiFn, type Stack } from "@pulumi/pulumi/automation/index.js";
import { inject } from "vitest";
import { findEngine } from "../scripts/pulumi/find-engine.ts";
import { pluginFileName, pluginFolder } from "../scripts/pulumi/plugin-choice.ts";
import { launcherScript } from "../scripts/pulumi/plugin-home.ts";
import type { ProviderPackage } from "../scripts/pulumi/provider-packages.ts";
import { cloneRoot } from "./clone-root.ts";
import { engineVariables } from "./support/processes/quick-engine.ts";

/** A stack under the real engine. Its only plugins are fallback providers; all of its files are in one folder. */
export interface TestStack {
  stack: Stack;
  /** Returns all files of the backend as text. */
  stateOnDisk(): Promise<string>;
  remove(): Promise<void>;
}

export interface StackOptions {
  projectName: string;
  stackName: string;
  fallbackProviders: readonly ProviderPackage[];
  program: PulumiFn;
  env?: Record<string, string>;
}

/** Creates a stack of a program with these fallback providers. */
export async function startStack(options: StackOptions): Promise<TestStack> {
  const { projectName, stackName, fallbackProviders, program, env = {} } = options;
  const folder = join(inject("scratch"), `stack-${randomUUID()}`);
  const home = join(folder, "home");
  await mkdir(join(folder, "state"), { recursive: true });
  await Promise.all(fallbackProviders.map((fallbackProvider) => installFallbackProvider(home, fallbackProvider)));
  const { engine } = await findEngine({ ...process.env, ...engineVariables(inject("engineCache")) });
  if (engine === undefined) throw new Error("the run's setup has left no engine");
  const path = [dirname(engine.path), process.env.PATH].join(delimiter);
  // The Automation API looks up the engine on this process's own PATH.
  process.env.PATH = path;
  const stack = await LocalWorkspace.createOrSelectStack(
    { projectName, stackName, program },
    {
      workDir: folder,
      pulumiHome: home,
      envVars: {
        PATH: path,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        ...env,
      },
      projectSettings: { name: projectName, runtime: "nodejs", backend: { url: `file://${join(folder, "state")}` } },
    },
  );
  const stateOnDisk = async () => {
    const files = await readdir(join(folder, "state"), { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), "utf8"));
    return (await Promise.all(texts)).join("\n");
  };
  return { stack, stateOnDisk, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function installFallbackProvider(home: string, fallbackProvider: ProviderPackage): Promise<void> {
  const choice = { ...fallbackProvider, use: "fallback", reason: "test" } as const;
  const folder = pluginFolder(home, choice);
  const launcher = join(folder, pluginFileName(choice));
  await mkdir(folder, { recursive: true });
  await writeFile(launcher, launcherScript(cloneRoot, choice));
  await chmod(launcher, 0o755);
}
