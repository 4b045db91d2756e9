import { readAnnouncements } from "./announced.ts";
import { judge } from "./judge.ts";
import { previewRecorded } from "./preview.ts";
import type { ProjectOnDisk } from "./project-on-disk.ts";
import { readRecordedState } from "./recorded-stack.ts";

/**
 * Previews a stack of the previous version with the code of a project directory.
 *
 * @returns a line for each change that CHANGELOG.md announces wrongly or not at all; empty if the preview is as
 * announced
 */
export async function faultsOfUpgrade(clone: ProjectOnDisk, stack: string): Promise<string[]> {
  const { previous, announced } = await readAnnouncements();
  const state = await readRecordedState(previous, stack, clone);
  return judge(stack, state, await previewRecorded(clone, previous, stack, state), announced);
}
