import type { Clone } from "./embedded/clone.ts";

/** One finding of `pgw recover --json`. */
export interface ToldFinding {
  kind: string;
  found: string;
  action: string | null;
  advice: string | null;
  done: boolean;
}

/** Runs `pgw recover --json` with these options and returns its findings. */
export async function findings(stack: Pick<Clone, "pgw">, ...options: string[]): Promise<ToldFinding[]> {
  const { stdout } = await stack.pgw("recover", "--json", ...options);
  return (JSON.parse(stdout) as { findings: ToldFinding[] }).findings;
}
