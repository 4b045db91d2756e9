import type { EngineInstallation } from "../../engine/ensure-engine.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Run } from "./run.ts";

interface ReadyOptions {
  /** No stand-in is named. */
  quiet?: boolean;
  /** What the engine is wanted for: only stand-ins that this stack uses are named. */
  stack?: string;
  retryPlugins?: boolean;
}

/** The engine, made ready where it is not yet, with progress shown and stand-ins named. */
export async function readyEngine(run: Run, options: ReadyOptions = {}): Promise<EngineInstallation> {
  const { ensureEngine } = await import("../../engine/ensure-engine.ts");
  const progress = new ProgressLine();
  try {
    const engine = await ensureEngine({
      root: run.root,
      env: run.env,
      signal: run.signal,
      retryPlugins: options.retryPlugins ?? false,
      onProgress: ({ step, elapsedMs, detail }) => progress.show(step, elapsedMs, detail),
    });
    progress.clear();
    if (options.quiet !== true) await nameStandIns(run, engine, options.stack);
    return engine;
  } finally {
    progress.clear();
  }
}

/** A stand-in is never used silently. */
async function nameStandIns(run: Run, { plugins }: EngineInstallation, stack: string | undefined): Promise<void> {
  for (const { name, version, use } of plugins) {
    if (use !== "stand-in" || !(await uses(run, stack, name))) continue;
    run.out.note(
      `provider ${name} ${version}: stand-in, the official plugin is out of reach (why: npm run pgw -- engine status)`,
    );
  }
}

/** Every stack has databases; only some are in a Docker engine. */
async function uses(run: Run, stack: string | undefined, plugin: string): Promise<boolean> {
  if (plugin !== "docker" || stack === undefined) return true;
  const { declaredSettings } = await import("../../stack/declared-settings.ts");
  return (await declaredSettings(run.root, stack)).docker !== undefined;
}
