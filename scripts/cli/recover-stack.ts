import type { Outcome } from "../stack/recover/recover.ts";
import type { Stack } from "../stack/stack.ts";
import type { CommandContext } from "./context.ts";
import { style } from "./output.ts";

/**
 * Finds what killed commands left of a stack, prints each leftover with its action, and performs the actions unless
 * `dryRun`.
 */
export async function recoverStack(
  context: CommandContext,
  stack: Stack,
  { dryRun = false, stopOrphans = false } = {},
): Promise<Outcome[]> {
  const { findLeftovers } = await import("../stack/recover/find-leftovers.ts");
  const { recover } = await import("../stack/recover/recover.ts");
  const { dataHome } = await import("../server/locations.ts");
  const { env, out } = context;
  const home = dataHome(env, process.getuid?.());
  const outcomes: Outcome[] = [];
  for (;;) {
    const leftovers = await findLeftovers({ stack, env, home, stopOrphans });
    for (const { found, action, advice } of leftovers) {
      out.note(`${style("bold", "found", process.stderr)} ${found}`);
      if (action !== undefined) out.note(`      action: ${action}`);
      if (advice !== undefined) out.note(`      ${advice}`);
    }
    if (dryRun) return leftovers.map((leftover) => ({ ...leftover, done: false }));
    const found = await recover(leftovers, ({ action, result }) =>
      out.note(`${style("green", "done", process.stderr)}  ${result ?? action}`),
    );
    outcomes.push(...found);
    if (!found.some(({ hidesOthers, done }) => hidesOthers && done)) return outcomes;
  }
}
