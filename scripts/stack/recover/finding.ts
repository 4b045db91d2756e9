import type { EngineInstallation } from "../../pulumi/ensure-engine.ts";

/** Kind of leftover of a killed run. */
export type FindingKind =
  | "state"
  | "engine-lock"
  | "process"
  | "files"
  | "lock"
  | "pending-operation"
  | "server"
  | "container";

/** One leftover. */
export interface Finding {
  kind: FindingKind;
  /** Description for people. */
  found: string;
  /** Action of `recover`. If undefined, nothing is done, and `advice` says who can do it. */
  action?: string;
  /** Information or a command for the user if nothing is done. */
  advice?: string;
  /** Checks again and performs the action. Returns false if it was not done because the leftover has changed. */
  act?: () => Promise<unknown>;
}

/** Stack, folders and options of a recovery. */
export interface Scene {
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
