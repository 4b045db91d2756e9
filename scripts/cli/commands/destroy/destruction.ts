import type { StackData } from "../../../stack/erase/stack-data.ts";
import type { Survey } from "../../../stack/erase/survey.ts";
import type { Stack } from "../../../stack/stack.ts";
import type { CommandContext } from "../../context.ts";

/** A stack as it was found. */
export interface FoundStack {
  survey: Survey;
  /** The stack's data on each kind of server, with that of its own kind first. */
  data: readonly [StackData, ...StackData[]];
}

/** Context of every kind of destruction. */
export interface Destruction extends FoundStack {
  context: CommandContext;
  stack: Stack;
  /**
   * Surveys the stack again, because another command may have changed it since it was shown.
   *
   * @throws OperationError (not allowed) if the stack is protected by now
   */
  lookAgain: () => Promise<FoundStack>;
  /** True if it was confirmed in advance. */
  yes: boolean;
}
