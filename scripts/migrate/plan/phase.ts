/**
 * Relation of a file to the application that keeps running. `expand`: only adds, so the running version is not
 * affected. `contract`: removes what the previous version still used, so that version must be gone.
 */
export type Phase = "expand" | "contract";

/** A file with its phase, if it declares one. */
export interface Phased {
  filename: string;
  phase: Phase | null;
}

const phases: readonly string[] = ["expand", "contract"] satisfies Phase[];

/**
 * Reads `-- phase: expand` or `-- phase: contract` from the comments at the top of a file's body; null if there is
 * none.
 */
export function readPhase(body: string): Phase | null {
  const word = phaseWord(body)?.toLowerCase();
  return word !== undefined && phases.includes(word) ? (word as Phase) : null;
}

/** Returns the word that is written as the phase, valid or not; null if there is none. */
export function phaseWord(body: string): string | null {
  for (const line of body.split("\n")) {
    const text = line.trim();
    if (text !== "" && !text.startsWith("--")) return null;
    const word = /^--\s*phase:\s*(\S*)/i.exec(text)?.[1];
    if (word !== undefined) return word;
  }
  return null;
}

/**
 * Warns of each file that contracts in the same run as a file that expands before it: no version of the application
 * runs between the two.
 */
export function phaseWarnings(files: readonly Phased[]): string[] {
  return files.flatMap(({ filename, phase }, index) => {
    const expanding = files.slice(0, index).findLast((before) => before.phase === "expand");
    if (phase !== "contract" || expanding === undefined) return [];
    return [
      `${filename} contracts, but would run together with ${expanding.filename}, which expands. Apply ${expanding.filename} first (--to). Apply this one when no old version of the application runs any more.`,
    ];
  });
}
