import type { EngineInstallation } from "../pulumi/ensure-engine.ts";
import type { Outcome } from "../stack/recover/recover.ts";
import { style } from "./output.ts";
import type { Run } from "./run.ts";

/**
 * Finds what killed commands left of a stack, prints each finding with its action, and performs the actions unless
 * `dryRun`.
 */
export async function recoverStack(
  run: Run,
  engine: EngineInstallation,
  stack: string,
  { dryRun = false, stopOrphans = false } = {},
): Promise<Outcome[]> {
  const { survey } = await import("../stack/recover/survey.ts");
  const { takeBack } = await import("../stack/recover/recover.ts");
  const { dataHome } = await import("../server/locations.ts");
  const { root, env, out } = run;
  const home = dataHome(env, process.getuid?.());
  const findings = await survey({ engine, env, root, stack, home, stopOrphans });
  for (const { found, action, advice } of findings) {
    out.note(`${style("bold", "found", process.stderr)} ${found}`);
    if (action !== undefined) out.note(`      action: ${action}`);
    if (advice !== undefined) out.note(`      ${advice}`);
  }
  if (dryRun) return findings.map((finding) => ({ ...finding, done: false }));
  return takeBack(findings, ({ action }) => out.note(`${style("green", "done", process.stderr)}  ${action}`));
}
