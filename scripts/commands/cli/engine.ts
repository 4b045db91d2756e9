import type { EngineInstallation } from "../../engine/ensure-engine.ts";
import { ProgressLine } from "./progress-line.ts";
import type { Run } from "./run.ts";

/** The engine, made ready where it is not yet, with progress shown and stand-ins named. */
export async function readyEngine(
  run: Run,
  options: { quiet?: boolean; retryPlugins?: boolean } = {},
): Promise<EngineInstallation> {
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
    if (options.quiet !== true) nameStandIns(run, engine);
    return engine;
  } finally {
    progress.clear();
  }
}

/** A stand-in is never used silently. */
function nameStandIns(run: Run, engine: EngineInstallation): void {
  for (const { name, version, use } of engine.plugins) {
    if (use !== "stand-in") continue;
    run.out.note(
      `provider ${name} ${version}: stand-in, the official plugin is out of reach (why: npm run pgw -- engine status)`,
    );
  }
}
