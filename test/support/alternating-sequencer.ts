import { relative } from "node:path";
import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";
import { cloneRoot } from "../clone-root.ts";
import durations from "./durations.json" with { type: "json" };

/** Seconds of a file that is not in durations.json. */
const shortFileSeconds = 3;

/**
 * Starts the longest files of each project first, and spreads the time of each project evenly over the run. Files of
 * `docker` mostly wait for containers, those of `embedded` keep the processors busy: side by side they use the machine
 * best.
 */
export class AlternatingSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return spread(files, ({ moduleId, project }) => ({ project: project.name, seconds: recordedSeconds(moduleId) }));
  }
}

const recorded: Readonly<Record<string, number>> = durations;

function recordedSeconds(path: string): number {
  return recorded[relative(cloneRoot, path)] ?? shortFileSeconds;
}

/** Sorts files by the share of their project's time that longer files of that project take. */
export function spread<File>(
  files: readonly File[],
  describe: (file: File) => { project: string; seconds: number },
): File[] {
  const longestFirst = files
    .map((file) => ({ file, ...describe(file) }))
    .toSorted((one, other) => other.seconds - one.seconds);
  const totals = new Map<string, number>();
  const started = longestFirst.map((entry) => {
    const before = totals.get(entry.project) ?? 0;
    totals.set(entry.project, before + entry.seconds);
    return { ...entry, before };
  });
  const share = ({ project, before }: { project: string; before: number }) => before / (totals.get(project) ?? 1);
  return started.toSorted((one, other) => share(one) - share(other)).map(({ file }) => file);
}
