/** Name of the project directory's own stack, created when it is first needed. */
export const localStack = "local";
