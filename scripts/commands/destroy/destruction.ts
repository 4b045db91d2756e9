import type { Survey } from "../../erase/survey.ts";
import type { StateAccess } from "../../stack/stack-state.ts";
import type { Run } from "../cli/run.ts";

/** What every way of destroying works on. */
export interface Destruction {
  run: Run;
  access: StateAccess;
  /** See `dataHome`. */
  home: string;
  survey: Survey;
  /** Whether it was confirmed in advance. */
  yes: boolean;
}
