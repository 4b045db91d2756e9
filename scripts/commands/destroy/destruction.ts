import type { StackData } from "../../erase/stack-data.ts";
import type { Survey } from "../../erase/survey.ts";
import type { StateAccess } from "../../stack/stack-state.ts";
import type { Run } from "../cli/run.ts";

/** What every way of destroying works on. */
export interface Destruction {
  run: Run;
  access: StateAccess;
  survey: Survey;
  /** What each kind of server has of it, that of its own kind first. */
  data: readonly [StackData, ...StackData[]];
  /** Whether it was confirmed in advance. */
  yes: boolean;
}
