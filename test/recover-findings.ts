import type { Clone } from "./embedded/clone.ts";

/** What `pgw recover` tells of one thing that it found. */
export interface ToldFinding {
  kind: string;
  found: string;
  action: string | null;
  advice: string | null;
  done: boolean;
}

/** Runs `pgw recover` with these options. */
export async function findings(stack: Pick<Clone, "pgw">, ...options: string[]): Promise<ToldFinding[]> {
  const { stdout } = await stack.pgw("recover", "--json", ...options);
  return (JSON.parse(stdout) as { findings: ToldFinding[] }).findings;
}
