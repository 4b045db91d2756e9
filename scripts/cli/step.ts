import { withElapsed } from "./elapsed.ts";
import type { Output } from "./output.ts";
import { ProgressLine } from "./progress-line.ts";

/**
 * Shows the step that a command is in, with the time since it began. The next step or the command's answer ends it.
 *
 * @param announce prints a line at once if stderr is not a terminal; otherwise only steps of 15 s and more are printed
 */
export function showStep(out: Output, step: string, { announce = true } = {}): void {
  const began = performance.now();
  const line = new ProgressLine();
  out.use(line);
  line.start(() => withElapsed(step, performance.now() - began), { announce });
}
