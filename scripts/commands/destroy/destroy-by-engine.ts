import { operate } from "../cli/operate.ts";
import { Output } from "../cli/output.ts";
import type { Run } from "../cli/run.ts";

/** Says what goes wrong and nothing else. */
class QuietOutput extends Output {
  override note(): void {}
}

/** Has the engine take a stack down. What the server's resource says then (where the data is kept) the command's answer says, or it is just about to be erased. */
export async function destroyByEngine(run: Run, stack: string): Promise<void> {
  await operate({ ...run, out: new QuietOutput(run.out.json) }, "destroy", stack);
}
