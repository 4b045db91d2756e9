import { resolve } from "node:path";
import { OperationError } from "../../scripts/errors/operation-error.ts";
import { assertMoved, clusterState } from "../../scripts/server/cluster.ts";
import { recordedDataDirectory } from "../../scripts/server/data-directory-claim.ts";
import { directoryOf, type EmbeddedServerSpec } from "../../scripts/server/embedded.ts";
import { type ServerOwner, serverFolders } from "../../scripts/server/server-record.ts";
import { isUnknown } from "../plugin/values.ts";

/** A server that is about to be made, and what its folder says of one that was there before. */
export interface Placement {
  spec: OwnedSpec;
  /** Where the data was until now, where that is not where it is to be. */
  formerData: string | undefined;
}

type OwnedSpec = EmbeddedServerSpec & { owner: ServerOwner };

/**
 * Where to make a server of which the state knows nothing. The record in a server's folder outlives a state that was lost: its data is taken over where it is, and never
 * replaced by an empty server elsewhere.
 *
 * @throws OperationError where the data is not where the record says, or not where the settings say
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
  throw new OperationError(`The data of this server was in ${recorded}, and is not there now.`, {
    remedy:
      "If it lies on a disk that is not mounted, mount it. Otherwise set pgroundwork:dataDirectory to the folder where it is, or to an empty one to begin without it.",
  });
}

/** By the record of its folder, or where there is no data yet by that of the folder that the stack had before its clone was moved. */
async function recordedData(spec: OwnedSpec): Promise<string | undefined> {
  const recorded = await recordedDataDirectory(spec.folder, spec.owner);
  if (recorded !== undefined || (await clusterState(directoryOf(spec).data)).kind === "cluster") return recorded;
  const found: string[] = [];
  for (const folder of await serverFolders(spec.home)) {
    const data = await recordedDataDirectory(folder, spec.owner);
    if (data !== undefined && (await clusterState(data)).kind === "cluster") found.push(data);
  }
  if (found.length <= 1) return found[0];
  throw new OperationError(`There is data of this stack in several places: ${found.join(", ")}.`, {
    remedy: "Set pgroundwork:dataDirectory to the one that is to be used.",
  });
}
