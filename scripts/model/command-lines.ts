/**
 * Returns the command that removes a stack's lock with the engine, in a shell with the stack's backend and passphrase.
 */
export function cancelCommand(stack: string): string {
  return `eval "$(npm run -s pgw -- engine env${stackOption(stack)})" && pulumi cancel --yes --stack ${stack}`;
}

/** Returns the command that cleans up after a killed run. */
export function recoverCommand(stack: string): string {
  return pgwCommand("recover", stack);
}

/** Returns the command that stops a stack's server. */
export function downCommand(stack: string): string {
  return stack === "local" ? "npm run down" : `npm run down -- --stack ${stack}`;
}

/** Returns the command that drills a restore of a stack. */
export function drillCommand(stack: string): string {
  return pgwCommand("backup drill", stack);
}

/** Returns the command that makes the dumps of a stack that are due. */
export function dumpDueCommand(stack: string): string {
  return pgwCommand("backup dump --due", stack);
}

/** Returns the command that runs the jobs of a stack's databases that are due. */
export function jobsRunCommand(stack: string): string {
  return pgwCommand("jobs run --due", stack);
}

/** Returns the command that brings a stack up. */
export function upCommand(stack: string): string {
  return stack === "local" ? "npm run up" : `npm run up -- --stack ${stack}`;
}

/** Returns the command that restores a target, such as `--backup LABEL`, in the place of a stack's cluster. */
export function restoreInPlaceCommand(stack: string, target: string, isProtected: boolean): string {
  return `${restoreCommand(stack, `--in-place ${target}`)}${isProtected ? " --allow-protected" : ""}`;
}

/** Returns the command that restores a target from a repository, counted from 1, to a new volume. */
export function restoreToVolumeCommand(stack: string, target: string, volume: string, repository: number): string {
  return restoreCommand(stack, `--to-volume ${volume} --repository ${repository} ${target}`);
}

/** Returns the command that returns to the cluster from before a restore in place. */
export function undoRestoreCommand(stack: string): string {
  return restoreCommand(stack, "--undo");
}

/** Returns the command that removes the clusters that a restore in place or an undo kept. */
export function finishRestoreCommand(stack: string): string {
  return restoreCommand(stack, "--finish");
}

/** Returns the command that enables the jobs and subscriptions that a restore in place paused. */
export function resumeCommand(stack: string): string {
  return restoreCommand(stack, "--resume");
}

function restoreCommand(stack: string, options: string): string {
  return pgwCommand(`backup restore ${options}`, stack);
}

function pgwCommand(command: string, stack: string): string {
  return `npm run pgw -- ${command}${stackOption(stack)}`;
}

/** Returns nothing for the local stack, which every command means without the option. */
function stackOption(stack: string): string {
  return stack === "local" ? "" : ` --stack ${stack}`;
}
