/** A project directory with the code whose previews are compared: a checkout, or a project that uses the package. */
export interface ProjectOnDisk {
  readonly root: string;
  /** Environment of its commands. A recorded stack adds its passphrase. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder that contains the servers of its stacks. */
  readonly dataHome: string;
  /** True for a project that uses the package: the engine finds the plugin where `pgw engine env` registers it. */
  readonly usesPackage?: boolean;
}
