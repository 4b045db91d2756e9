/**
 * What a file is to the application that runs meanwhile. `expand`: only adds, the running version does not mind. `contract`: takes away what the version
 * before still used, and wants that version gone.
 */
export type Phase = "expand" | "contract";

/** A file with its phase, as far as it says one. */
export interface Phased {
  filename: string;
  phase: Phase | null;
}

const phases: readonly string[] = ["expand", "contract"] satisfies Phase[];

/** Reads `-- phase: expand` or `-- phase: contract` among the comments at the top of a file's body; null where there is none. */
export function readPhase(body: string): Phase | null {
  const word = phaseWord(body)?.toLowerCase();
  return word !== undefined && phases.includes(word) ? (word as Phase) : null;
}

/** The word that stands for the phase, whether it is one or not; null where there is none. */
export function phaseWord(body: string): string | null {
  for (const line of body.split("\n")) {
    const text = line.trim();
    if (text !== "" && !text.startsWith("--")) return null;
    const word = /^--\s*phase:\s*(\S*)/i.exec(text)?.[1];
    if (word !== undefined) return word;
  }
  return null;
}

/** Says of each file that contracts in one run with a file that expands: no version of the application runs between them. */
export function phaseWarnings(files: readonly Phased[]): string[] {
  return files.flatMap(({ filename, phase }, index) => {
    const expanding = files.slice(0, index).findLast((before) => before.phase === "expand");
    if (phase !== "contract" || expanding === undefined) return [];
    return [
      `${filename} contracts and would run together with ${expanding.filename}, which expands: apply that one first (--to), and this one when no old version of the application runs any more.`,
    ];
  });
}
