import { relative, sep } from "node:path";
import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";
import { cloneRoot } from "../clone-root.ts";
import durations from "./durations.json" with { type: "json" };

/** Position of a file in the run. */
export interface Place {
  /** Folder below `test`. */
  folder: string;
  /** Recorded duration. Only long files have one. */
  seconds: number | undefined;
}

/**
 * Starts the unit tests first, then the long files of the other folders alternately, then the short ones. Files of
 * `docker` mostly wait for containers, those of `embedded` keep the processors busy: side by side they use the machine
 * best.
 */
export class AlternatingSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return inOrder(sorted, ({ moduleId }) => {
      const path = relative(cloneRoot, moduleId);
      return { folder: path.split(sep)[1] ?? "", seconds: recorded[path] };
    });
  }
}

/** Seconds of the long files, by path. `node test/support/record-durations.ts` writes them after a run of CI. */
const recorded: Readonly<Record<string, number>> = durations;

/**
 * Sorts test files. Unit tests follow each other, because Vitest only reuses a worker and its loaded modules if the
 * next file is of the same project.
 */
export function inOrder<File>(files: readonly File[], placeOf: (file: File) => Place): File[] {
  const entries = files.map((file) => ({ file, ...placeOf(file) }));
  const isUnit = ({ folder }: Place) => folder === "unit";
  const others = entries.filter((entry) => !isUnit(entry));
  const long = others.flatMap(({ seconds, ...entry }) => (seconds === undefined ? [] : [{ ...entry, seconds }]));
  const short = others.filter(({ seconds }) => seconds === undefined);
  return [...entries.filter(isUnit), ...spread(long), ...short].map(({ file }) => file);
}

/** Sorts long files by the share of their folder's time that its longer files take. */
function spread<Entry extends { folder: string; seconds: number }>(entries: readonly Entry[]): Entry[] {
  const totals = new Map<string, number>();
  const started = entries
    .toSorted((one, other) => other.seconds - one.seconds)
    .map((entry) => {
      const before = totals.get(entry.folder) ?? 0;
      totals.set(entry.folder, before + entry.seconds);
      return { entry, before };
    });
  const share = ({ entry, before }: { entry: Entry; before: number }) => before / (totals.get(entry.folder) ?? 1);
  return started.toSorted((one, other) => share(one) - share(other)).map(({ entry }) => entry);
}
