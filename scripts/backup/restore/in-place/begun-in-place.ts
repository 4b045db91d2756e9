import type Docker from "dockerode";
import { readContainerFile } from "../../../docker/container-file.ts";
import { type ScratchHolder, scratchHolder } from "../../../docker/scratch-holder.ts";
import { paths } from "../../stack-backups.ts";
import { clusters, shutsOutClientsIn } from "./cluster-volume.ts";
import { holderFile } from "./layout.ts";

/**
 * State of a restore in place, an undo or a finish that has begun on a stack. `killed`: its process has ended before it
 * was complete. `elsewhere`: it runs or was killed on another machine.
 */
export type BegunInPlace = "running" | "killed" | "elsewhere";

const stateOf: Readonly<Record<ScratchHolder, BegunInPlace>> = {
  living: "running",
  gone: "killed",
  elsewhere: "elsewhere",
};

/** Reads from the server's container, which can be stopped, if a restore in place has begun. undefined: none has. */
export async function readBegunInPlace(docker: Docker, server: string): Promise<BegunInPlace | undefined> {
  const container = docker.getContainer(server);
  const holder = (await readContainerFile(container, `${clusters}/${holderFile}`))?.trim();
  if (holder !== undefined) return stateOf[await scratchHolder(holder)];
  // A command that failed after the exchange has no file any more, and the server still accepts no clients.
  const settings = (await readContainerFile(container, `${paths.data}/postgresql.auto.conf`)) ?? "";
  return shutsOutClientsIn(settings) ? "killed" : undefined;
}
