import type { EmbeddedPlace } from "../../../backup/physical/in-place.ts";
import { archiveFolder } from "../../../backup/physical/store.ts";
import { shellQuote } from "../../../core/shell.ts";
import type { ServerOutput } from "../../../model/stack-outputs.ts";
import { localStack } from "../../../stack/local-stack.ts";
import type { CommandContext } from "../../context.ts";
import { dumpSettings } from "../../dump-target.ts";

/** Reads where physical archives are, for how long they are kept, and if they are compressed. */
export function archiveSettings(context: CommandContext) {
  const { folder, ...settings } = dumpSettings(context);
  return { ...settings, dumps: folder, folder: archiveFolder(folder) };
}

/** Returns the location of a stack's embedded server. */
export async function embeddedPlace(
  { env, root }: CommandContext,
  stack: string,
  { dataDirectory, logDirectory }: Extract<ServerOutput, { kind: "embedded" }>,
): Promise<EmbeddedPlace> {
  const { dataHome } = await import("../../../server/locations.ts");
  const { projectName } = await import("../../../stack/project.ts");
  return {
    home: dataHome(env, process.getuid?.()),
    directory: { data: dataDirectory, log: logDirectory },
    owner: { clone: root, project: await projectName(root), stack },
  };
}

/** Returns the command that restores a physical archive in place, as it is typed in the project directory. */
export function restoreArchiveCommand({ env }: CommandContext, stack: string, id: string): string {
  const folder = env.BACKUP_DIR ? `BACKUP_DIR=${shellQuote(env.BACKUP_DIR)} ` : "";
  return `${folder}npm run db:restore -- ${id}${stack === localStack ? "" : ` --stack ${stack}`}`;
}
