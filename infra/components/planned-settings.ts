import { availableParallelism, totalmem } from "node:os";
import { planMemory, type StorageKind, type WorkloadProfile } from "../plan/tuning.ts";

/** What a server's postgresql.conf is planned for. */
export interface PlannedFor {
  /** Memory that the server can use, in MB. Default: the machine's. */
  memory?: number | undefined;
  profile: WorkloadProfile;
  storage: StorageKind;
  maxConnections: number;
  /** Settings that override the plan. */
  postgresql?: Record<string, string> | undefined;
}

/** Memory is planned in steps of this many MB, so that a kernel update does not restart a server. */
const memoryStep = 256;

/** Plans postgresql.conf for the memory and the workload. */
export function plannedSettings(
  { memory, profile, storage, maxConnections, postgresql }: PlannedFor,
  os: "linux" | "mac",
  cpus: number,
): Record<string, string> {
  const memoryMegabytes = memory ?? Math.floor(totalmem() / 2 ** 20 / memoryStep) * memoryStep;
  return { ...planMemory({ memoryMegabytes, cpus, os, profile, storage, maxConnections }), ...postgresql };
}

/** Plans postgresql.conf for a server on this machine. */
export function plannedSettingsHere(plan: PlannedFor): Record<string, string> {
  return plannedSettings(plan, process.platform === "darwin" ? "mac" : "linux", availableParallelism());
}
