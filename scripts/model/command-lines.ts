/**
 * Returns the command that removes a stack's lock with the engine, in a shell with the stack's backend and passphrase.
 */
export function cancelCommand(stack: string): string {
  const option = stack === "local" ? "" : ` --stack ${stack}`;
  return `eval "$(npm run -s pgw -- engine env${option})" && pulumi cancel --yes --stack ${stack}`;
}

/** Returns the command that cleans up after a killed run. */
export function recoverCommand(stack: string): string {
  return stack === "local" ? "npm run pgw -- recover" : `npm run pgw -- recover --stack ${stack}`;
}

/** Returns the command that stops a stack's server. */
export function downCommand(stack: string): string {
  return stack === "local" ? "npm run down" : `npm run down -- --stack ${stack}`;
}

/** Returns the command that drills a restore of a stack. */
export function drillCommand(stack: string): string {
  return `npm run pgw -- backup drill${stack === "local" ? "" : ` --stack ${stack}`}`;
}

/** Returns the command that makes the dumps of a stack that are due. */
export function dumpDueCommand(stack: string): string {
  return `npm run pgw -- backup dump --due${stack === "local" ? "" : ` --stack ${stack}`}`;
}

/** Returns the command that runs the jobs of a stack's databases that are due. */
export function jobsRunCommand(stack: string): string {
  return `npm run pgw -- jobs run --due${stack === "local" ? "" : ` --stack ${stack}`}`;
}

/** Returns the command that brings a stack up. */
export function upCommand(stack: string): string {
  return stack === "local" ? "npm run up" : `npm run up -- --stack ${stack}`;
}
