import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/** Folders whose tests bring up whole stacks: the longest files. */
const stacks = /\/(infra\/(program|components|pipeline)|cli\/commands|backup)\//;

/**
 * Starts the longest files first, and the files of all projects alternately. Those of `docker` mostly wait for
 * containers, those of `embedded` keep the processors busy: side by side they use the machine best.
 */
export class AlternatingSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => stacks.test(moduleId);
    const sorted = [...bySize.filter(isLong), ...bySize.filter((file) => !isLong(file))];
    const rank = new Map<TestSpecification, number>();
    const counts = new Map<string, number>();
    for (const file of sorted) {
      const { name } = file.project;
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      rank.set(file, count);
    }
    // Spreads each project's files evenly over the run.
    const share = (file: TestSpecification) => (rank.get(file) ?? 0) / (counts.get(file.project.name) ?? 1);
    return sorted.toSorted((one, other) => share(one) - share(other));
  }
}
