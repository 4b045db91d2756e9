import type { EngineInstallation } from "../engine/ensure-engine.ts";
import { ownerOf } from "./names.ts";

/**
 * By which marks something in a Docker engine is a stack's own: the one that its state has, which stays where the clone moves, and the one that a run of this clone
 * would give, which a state that was lost has forgotten.
 *
 * @param recorded what the state says; undefined: nothing
 */
export function ownersOf(
  { engine, root }: { engine: EngineInstallation; root: string },
  recorded: string | undefined,
): string[] {
  const own = ownerOf(engine.environment.PULUMI_BACKEND_URL ?? process.env.PULUMI_BACKEND_URL, root);
  return [...new Set(recorded === undefined ? [own] : [recorded, own])];
}
