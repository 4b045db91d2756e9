/** What the refusal of stand-ins depends on. */
export interface StandInUse {
  /** Names of the providers whose stand-in runs; none where all are official. */
  standIns: readonly string[];
  /** The stack's setting; undefined: not set. */
  airgap: boolean | undefined;
  stack: string;
  /** Whether real people depend on the stack. */
  real: boolean;
}

/**
 * Why a stack refuses the stand-ins that are about to run; undefined where it does not. A network fault must never swap the provider under a
 * real environment: staging, production and protected stacks take stand-ins only where the stack says so.
 */
export function standInRefusal({ standIns, airgap, stack, real }: StandInUse): string | undefined {
  if (standIns.length === 0) return undefined;
  const allowed = airgap ?? !real;
  if (allowed) return undefined;
  return `Stack "${stack}" refuses the stand-in for ${standIns.map((name) => `the official ${name} plugin`).join(" and ")}.`;
}
