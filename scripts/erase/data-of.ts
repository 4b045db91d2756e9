import type { StateAccess } from "../stack/stack-state.ts";
import { embeddedData } from "./embedded-data.ts";
import type { StackData } from "./stack-data.ts";
import type { Survey } from "./survey.ts";

/**
 * What each kind of server has of a stack, that of the stack's own kind first.
 *
 * @param home see `dataHome`
 */
export function dataOf(access: StateAccess, home: string, survey: Survey): readonly [StackData, ...StackData[]] {
  return [embeddedData(access, home, survey)];
}
