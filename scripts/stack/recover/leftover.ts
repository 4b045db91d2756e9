import type { Leftover } from "../../core/leftover.ts";
import type { Stack } from "../stack.ts";

/** Leftover of a killed run on a stack. */
export interface StackLeftover
  extends Leftover<
    "state" | "attributes" | "engine-lock" | "process" | "files" | "lock" | "pending-operation" | "server" | "container"
  > {
  /** Set if others can be found only after its action. */
  hidesOthers?: true;
}

/** Stack and folders in which leftovers are looked for. */
export interface LeftoverContext {
  env: NodeJS.ProcessEnv;
  stack: Pick<Stack, "root" | "name">;
  /** Folder that contains the servers: see `dataHome`. */
  home: string;
}

/** Stack, folders and options of a recovery. */
export interface RecoveryContext extends LeftoverContext {
  stack: Stack;
  /** True to stop servers whose project directory is gone. */
  stopOrphans: boolean;
}
