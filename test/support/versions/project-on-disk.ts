/** A project directory with the code whose previews are compared: a checkout, or a project that uses the package. */
export interface ProjectOnDisk {
  readonly root: string;
  /** Environment of its commands. A recorded stack adds its passphrase. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder that contains the servers of its stacks. */
  readonly dataHome: string;
  /** Returns the environment of the engine for a stack. Default: as the checkout's own commands have it. */
  engineEnvironment?(stack: string): Promise<NodeJS.ProcessEnv>;
}
