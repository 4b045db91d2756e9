import { type ChildProcess, execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EngineEvent } from "@pulumi/pulumi/automation/events.js";
import { engineEnvironment } from "../../../scripts/pulumi/environment.ts";
import { type CompleteEngine, findEngine, isComplete } from "../../../scripts/pulumi/find-engine.ts";
import type { PluginChoice } from "../../../scripts/pulumi/plugin-choice.ts";
import { fillCloneHome } from "../../../scripts/pulumi/plugin-home.ts";
import { providerPackages } from "../../../scripts/pulumi/provider-packages.ts";
import type { Deployment } from "./deployment.ts";
import type { ProjectOnDisk } from "./project-on-disk.ts";
import { placeRecordedStack } from "./recorded-stack.ts";
import { type Change, changesIn } from "./resource-changes.ts";

const run = promisify(execFile);

/**
 * Previews a recorded state with the code of a project directory and lists the changes.
 *
 * The engine, the program and all providers are real. The fallback providers are used, even if official plugins are
 * installed. No server is started: that takes twice as long as the preview, and a preview compares little with it. The
 * preview reads:
 *
 * - the data directory of an embedded server: its configuration file and its process. The file is recorded, and another
 *   process takes the place of the server.
 * - the Docker engine: whether containers run and archiving works. The engine has none of the recorded containers.
 * - databases: what is pending. Nothing listens on the recorded ports.
 *
 * The last two show as differences, which {@link changesIn} knows and ignores. It ignores single properties with their
 * expected values and no whole resource, so that no change of the code is hidden.
 */
export async function previewRecorded(
  clone: ProjectOnDisk,
  version: string,
  stack: string,
  state: Deployment,
): Promise<Change[]> {
  await placeRecordedStack(clone, version, stack, state);
  const stopProcesses = await startFallbackProviderServers(state);
  try {
    return changesIn(await preview(clone, stack));
  } finally {
    stopProcesses();
  }
}

async function preview(clone: ProjectOnDisk, stack: string): Promise<EngineEvent[]> {
  const env = clone.env;
  const lookup = await findEngine(env);
  if (!isComplete(lookup)) throw new Error(`the run's setup has left no engine: ${lookup.rejected.join("; ")}`);
  const variables = await (clone.engineEnvironment?.(stack) ?? ownEnvironment(clone, lookup));
  const { stdout } = await run(
    lookup.engine.path,
    ["preview", "--json", "--non-interactive", "--color", "never", "--stack", stack],
    {
      cwd: clone.root,
      env: { ...variables, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" },
      maxBuffer: 2 ** 28,
    },
  ).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`The preview of stack "${stack}" failed:\n${errorsIn(error.stdout)}${error.stderr}`);
  });
  return eventsIn(stdout);
}

function ownEnvironment({ root, env }: ProjectOnDisk, lookup: CompleteEngine): NodeJS.ProcessEnv {
  const plugins = providerPackages(root).map(
    (plugin): PluginChoice => ({ ...plugin, use: "fallback", reason: "test" }),
  );
  fillCloneHome(root, plugins);
  return { ...env, ...engineEnvironment({ root, env, ...lookup, plugins }) };
}

function eventsIn(output: string): EngineEvent[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as EngineEvent);
}

function errorsIn(output: string): string {
  return eventsIn(output)
    .map(({ diagnosticEvent }) => (diagnosticEvent?.severity === "error" ? diagnosticEvent.message : ""))
    .join("");
}

/**
 * Starts a process in the data directory of each embedded server, which the provider takes for the server. Otherwise
 * the preview would show a restart, and a change of every resource that depends on it.
 */
async function startFallbackProviderServers(state: Deployment): Promise<() => void> {
  const processes: ChildProcess[] = [];
  for (const { outputs } of state.resources) {
    if (typeof outputs?.dataDirectory !== "string" || typeof outputs.folder !== "string") continue;
    const data = outputs.dataDirectory;
    const process = spawn("sleep", ["600"], { cwd: data, stdio: "ignore" });
    processes.push(process);
    await writeFile(join(data, "postmaster.pid"), [process.pid, data, 0, outputs.port].join("\n"));
  }
  return () => {
    for (const process of processes) process.kill("SIGKILL");
  };
}
