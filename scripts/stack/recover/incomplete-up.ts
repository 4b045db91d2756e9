import { upCommand } from "../../model/command-lines.ts";
import { declaredSettings } from "../declared-settings.ts";
import { externalLogin, findExternalObjects, listExternalObjects } from "../external-server.ts";
import type { Stack } from "../stack.ts";
import { stackContent } from "../stack-content.ts";
import type { StackState } from "../stack-state.ts";
import type { StackLeftover } from "./leftover.ts";

/**
 * Reports objects on an external server that have a stack's names, if no `up` of the stack has completed. A failed or
 * killed `up` may have created them. Nothing has to be done about them, because the next `up` adopts them.
 */
export async function incompleteUp(stack: Stack, state: StackState | undefined): Promise<StackLeftover[]> {
  const content = stackContent(state);
  const settings = await declaredSettings(stack.root, stack.name);
  if (content.isUp || (content.kind ?? settings.kind) !== "external") return [];
  const login = await externalLogin(stack, settings);
  const objects = listExternalObjects(await findExternalObjects(login, settings.databases));
  if (objects.length === 0) return [];
  return [
    {
      kind: "state",
      found: `no \`up\` of this stack has completed, and something of it may be on its server: ${objects.join("; ")}`,
      advice: `Nothing has to be cleaned up: \`${upCommand(stack.name)}\` adopts it.`,
    },
  ];
}
