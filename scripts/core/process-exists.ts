/**
 * Owner of a process, judged by whether this process may signal it: `own` also for root. `absent`: no process has the
 * id.
 */
export type ProcessOwner = "own" | "foreign" | "absent";

/** Returns true if a process of any user has this id. The id of an ended process can be reused. */
export function processExists(pid: number): boolean {
  return processOwner(pid) !== "absent";
}

/** Returns the owner of the process with this id, judged by whether this process may signal it. */
export function processOwner(pid: number): ProcessOwner {
  try {
    process.kill(pid, 0);
    return "own";
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "foreign" : "absent";
  }
}
