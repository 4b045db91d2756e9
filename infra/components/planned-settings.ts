import { availableParallelism, totalmem } from "node:os";
import { logDefaults } from "../plan/log-defaults.ts";
import { planMemory, type StorageKind, type TuningInput, type WorkloadProfile } from "../plan/tuning.ts";

/** Memory, storage and workload that a server's postgresql.conf is planned for. */
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

/** Plans postgresql.conf for the memory and the workload. The stack's own settings override the plan. */
export function plannedSettings(
  { memory, profile, storage, maxConnections, postgresql }: PlannedFor,
  machine: Pick<TuningInput, "os" | "cpus" | "hasLz4">,
): Record<string, string> {
  const memoryMegabytes = memory ?? Math.floor(totalmem() / 2 ** 20 / memoryStep) * memoryStep;
  return {
    ...planMemory({ memoryMegabytes, profile, storage, maxConnections, ...machine }),
    ...logDefaults,
    ...postgresql,
  };
}

/** Plans postgresql.conf for a server on this machine. */
export function plannedSettingsHere(plan: PlannedFor): Record<string, string> {
  const os = process.platform === "darwin" ? "mac" : "linux";
  return plannedSettings(plan, { os, cpus: availableParallelism(), hasLz4: false });
}
