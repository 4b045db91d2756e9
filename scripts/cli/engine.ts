import { existsSync } from "node:fs";
import { join } from "node:path";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { EngineInstallation } from "../pulumi/ensure-engine.ts";
import type { Progress } from "../pulumi/progress.ts";
import type { CommandContext } from "./context.ts";

interface ReadyOptions {
  /** Prints no note about fallback providers. */
  quiet?: boolean;
  /** Stack that the engine is needed for. Only fallback providers that this stack uses are printed. */
  stack?: string;
  retryPlugins?: boolean;
  /** False if the command needs no Pulumi program. */
  project?: boolean;
}

/** Returns the engine, after installing it if necessary. Shows progress and prints the fallback providers in use. */
export async function readyEngine(context: CommandContext, options: ReadyOptions = {}): Promise<EngineInstallation> {
  if (options.project !== false) requireProject(context.root);
  const { ensureEngine } = await import("../pulumi/ensure-engine.ts");
  const { ProgressLine } = await import("./progress-line.ts");
  const { withElapsed } = await import("./elapsed.ts");
  const line = new ProgressLine();
  context.out.use(line);
  let shown: Progress | undefined;
  const onProgress = (progress: Progress) => {
    const isNew = progress.step !== shown?.step;
    shown = progress;
    const text = () => [withElapsed(shown?.step ?? "", shown?.elapsedMs ?? 0), shown?.detail ?? ""].join(" ").trim();
    if (isNew) line.start(text, { announce: true });
    else line.update();
  };
  try {
    const engine = await ensureEngine({
      root: context.root,
      env: context.env,
      signal: context.signal,
      retryPlugins: options.retryPlugins ?? false,
      onProgress,
    });
    line.stop();
    if (options.quiet !== true) await nameFallbackProviders(context, engine, options.stack);
    return engine;
  } finally {
    line.stop();
  }
}

/** Refuses to look for an engine, which can mean to build one, for a folder that has no program. */
export function requireProject(root: string): void {
  if (existsSync(join(root, "Pulumi.yaml"))) return;
  throw new OperationError(`${root} has no Pulumi.yaml, and this command works on a stack of a Pulumi program.`, {
    hint: "Run it in the program's folder. Commands on data also work without one, with DATABASE_URL, PG* or --url.",
    exitCode: exitCode.usage,
  });
}

/** Prints the fallback providers in use, so that none is used silently. */
async function nameFallbackProviders(
  context: CommandContext,
  { plugins }: EngineInstallation,
  stack: string | undefined,
): Promise<void> {
  for (const { name, version, use } of plugins) {
    if (use !== "fallback" || !(await uses(context, stack, name))) continue;
    context.out.note(
      `provider ${name} ${version}: using the fallback provider, the official plugin is unreachable (reason: npm run pgw -- engine status)`,
    );
  }
}

/** Returns true if the stack uses the plugin: every stack has databases, only some are in a Docker engine. */
async function uses(context: CommandContext, stack: string | undefined, plugin: string): Promise<boolean> {
  if (plugin !== "docker" || stack === undefined) return true;
  const { declaredSettings } = await import("../stack/declared-settings.ts");
  return (await declaredSettings(context.root, stack)).docker !== undefined;
}
