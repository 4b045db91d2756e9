import type { EngineInstallation } from "../engine/ensure-engine.ts";

/** What kind of thing a killed run left. */
export type FindingKind = "engine-lock" | "process" | "files" | "lock" | "pending-operation" | "server" | "container";

/** One thing that was found. */
export interface Finding {
  kind: FindingKind;
  /** What is there, in words for a person. */
  found: string;
  /** What recovering does about it; undefined: nothing, and `advice` says who does. */
  action?: string;
  /** What is to know or to type where nothing is done. */
  advice?: string;
  /** Does it. Safe to repeat, and where meanwhile somebody else did it. */
  act?: () => Promise<void>;
}

/** Where to look, and on whose behalf. */
export interface Scene {
  engine: EngineInstallation;
  env: NodeJS.ProcessEnv;
  /** The clone. */
  root: string;
  stack: string;
  /** Below it lie the servers: see `dataHome`. */
  home: string;
  /** Whether servers whose clone is gone are stopped. */
  stopOrphans: boolean;
}
