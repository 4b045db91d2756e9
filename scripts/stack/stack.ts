import type { EngineInstallation } from "../pulumi/ensure-engine.ts";

/** A stack of a Pulumi project, and the engine that works on it. */
export interface Stack {
  engine: EngineInstallation;
  /** Project directory: the folder of Pulumi.yaml. */
  root: string;
  name: string;
}
