import { recordedDataDirectory } from "../../server/data-directory-claim.ts";
import { type ServerPlace, serverDirectory, serverFolder } from "../../server/locations.ts";
import type { ServerOwner } from "../../server/server-record.ts";
import { type DeclaredSettings, declaredSettings } from "../declared-settings.ts";
import { projectName } from "../project.ts";
import type { Stack } from "../stack.ts";
import { type StackContent, stackContent } from "../stack-content.ts";
import { readState, type StackState } from "../stack-state.ts";
import { requireDeclared } from "../stacks.ts";

/** State, settings and locations of a stack before anything of it is erased. */
export interface Survey {
  /** undefined if the backend has no such stack. */
  state: StackState | undefined;
  content: StackContent;
  settings: DeclaredSettings;
  /**
   * Location in which `up` creates the stack's server, if the state has none and the settings name no other data
   * directory.
   */
  defaultPlace: ServerPlace;
  owner: ServerOwner;
}

/**
 * Reads a stack's state and settings.
 *
 * @param home see `dataHome`
 * @throws OperationError if the stack is unknown
 */
export async function surveyStack(stack: Stack, home: string): Promise<Survey> {
  const { root, name } = stack;
  const state = await readState(stack);
  if (state === undefined) await requireDeclared(root, name);
  const owner = { clone: root, project: await projectName(root), stack: name };
  const folder = serverFolder(home, root, owner.project, name);
  const recorded = await recordedDataDirectory(folder, owner);
  return {
    state,
    content: stackContent(state),
    settings: await declaredSettings(root, name),
    defaultPlace: { folder, dataDirectory: recorded ?? serverDirectory(folder).data },
    owner,
  };
}
