/** Facts that decide if a stack accepts fallback providers. */
export interface FallbackProviderUse {
  /** Names of the providers with a fallback that would run. Empty if all plugins are official. */
  fallbackProviders: readonly string[];
  /** The stack's setting; undefined if not set. */
  airgap: boolean | undefined;
  stack: string;
  /** True if real people depend on the stack. */
  real: boolean;
}

/**
 * Returns the reason why a stack refuses the fallback providers that are about to run, or undefined if it accepts them.
 * A network fault must never swap the provider of a real environment: staging, production and protected stacks accept
 * fallback providers only if their settings allow it.
 */
export function fallbackProviderRefusal({
  fallbackProviders,
  airgap,
  stack,
  real,
}: FallbackProviderUse): string | undefined {
  if (fallbackProviders.length === 0) return undefined;
  const allowed = airgap ?? !real;
  if (allowed) return undefined;
  return `Stack "${stack}" does not accept the fallback provider for ${fallbackProviders.map((name) => `the official ${name} plugin`).join(" and ")}.`;
}
