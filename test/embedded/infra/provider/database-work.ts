import { relative } from "node:path";
import type { ResourceType } from "../../../../infra/provider-protocol/resource-type.ts";
import type { Properties } from "../../../../infra/provider-protocol/values.ts";
import type { Connection } from "../../../../scripts/connection/connection.ts";
import { cloneRoot } from "../../../clone-root.ts";
import type { RecordedContext } from "../../../unit/infra/provider/call-context.ts";

/** Converts a connection to a resource's inputs. */
export function connectionInputs({ host, port, database, user, password, sslmode, ca }: Connection): Properties {
  return { host, port, database, user, password, sslmode, ...(ca === undefined ? {} : { caCertificate: ca }) };
}

/** Converts a folder to an input: a path relative to the project directory. */
export function folderInput(folder: string): string {
  return relative(cloneRoot, folder);
}

/** A resource as the engine keeps it. */
export interface Kept {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** Does what the engine does for a resource at `up`: check, then create, or diff and, if something changed, update. */
export async function bringUp(
  type: ResourceType,
  context: RecordedContext,
  declared: Properties,
  old?: Kept,
): Promise<Kept & { changes: string[] }> {
  const { inputs, failures = [] } = await type.check(context, declared, old?.inputs);
  if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("\n"));
  if (old === undefined) return { ...(await type.create(context, inputs, false)), inputs, changes: ["created"] };
  const { changes } = await type.diff(context, old, inputs);
  const outputs = changes.length === 0 ? old.outputs : await type.update(context, old, inputs, false);
  return {
    id: old.id,
    inputs: changes.length === 0 ? old.inputs : inputs,
    outputs,
    changes: changes.map(({ path }) => path),
  };
}
