import { resolve } from "node:path";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { assertMoved, clusterState } from "../../../../scripts/server/cluster.ts";
import { recordedDataDirectory } from "../../../../scripts/server/data-directory-claim.ts";
import { directoryOf, type EmbeddedServerSpec } from "../../../../scripts/server/embedded.ts";
import { type ServerOwner, serverFolders } from "../../../../scripts/server/server-record.ts";
import { isUnknown } from "../../../provider-protocol/values.ts";

/** A server to create, with the data location of an earlier server that its folder records. */
export interface Placement {
  spec: OwnedSpec;
  /** Earlier location of the data, if it differs from the new one. */
  formerData: string | undefined;
}

type OwnedSpec = EmbeddedServerSpec & { owner: ServerOwner };

/**
 * Decides the data location of a server that the state does not contain. The record in a server's folder outlives a
 * lost state. Its data is adopted in its location and never replaced by an empty server elsewhere.
 *
 * @throws OperationError if the data is not where the record says, or not where the settings say
 */
export async function placementOf(spec: OwnedSpec): Promise<Placement> {
  const { data } = directoryOf(spec);
  const recorded = isUnknown(data) ? undefined : await recordedData(spec);
  if (recorded === undefined || resolve(recorded) === resolve(data)) return { spec, formerData: undefined };
  if (spec.dataDirectory !== undefined) {
    await assertMoved(recorded, data);
    return { spec, formerData: recorded };
  }
  if ((await clusterState(recorded)).kind === "cluster")
    return { spec: { ...spec, dataDirectory: recorded }, formerData: undefined };
  throw new OperationError(`The data of this server was in ${recorded}, but is no longer there.`, {
    hint: "If it is on a disk that is not mounted, mount the disk. Otherwise set pgroundwork:dataDirectory to the folder with the data, or to an empty folder to start without it.",
  });
}

/**
 * Returns the data directory in the record of the server's folder. If there is none and no data exists yet, returns the
 * one in the folder that the stack had before its project directory was moved.
 *
 * @throws OperationError if data of this stack exists in several locations
 */
async function recordedData(spec: OwnedSpec): Promise<string | undefined> {
  const recorded = await recordedDataDirectory(spec.folder, spec.owner);
  if (recorded !== undefined || (await clusterState(directoryOf(spec).data)).kind === "cluster") return recorded;
  const found: string[] = [];
  for (const folder of await serverFolders(spec.home)) {
    const data = await recordedDataDirectory(folder, spec.owner);
    if (data !== undefined && (await clusterState(data)).kind === "cluster") found.push(data);
  }
  if (found.length <= 1) return found[0];
  throw new OperationError(`Data of this stack exists in several locations: ${found.join(", ")}.`, {
    hint: "Set pgroundwork:dataDirectory to the one to use.",
  });
}
