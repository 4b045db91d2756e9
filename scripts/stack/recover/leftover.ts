import type { Leftover } from "../../core/leftover.ts";
import type { EngineInstallation } from "../../pulumi/ensure-engine.ts";

/** Leftover of a killed run on a stack. */
export type StackLeftover = Leftover<
  "state" | "engine-lock" | "process" | "files" | "lock" | "pending-operation" | "server" | "container"
>;

/** Stack, folders and options of a recovery. */
export interface RecoveryContext {
  engine: EngineInstallation;
  env: NodeJS.ProcessEnv;
  /** Project directory. */
  root: string;
  stack: string;
  /** Folder that contains the servers: see `dataHome`. */
  home: string;
  /** True to stop servers whose project directory is gone. */
  stopOrphans: boolean;
}
