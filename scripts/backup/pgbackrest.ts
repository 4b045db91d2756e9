import type Docker from "dockerode";
import { type Finished, runInContainer } from "../docker/run-in-container.ts";
import { diagnose } from "./diagnosis.ts";

/** pgBackRest in a container, as postgres. What it is to know is in the container's environment and its configuration file. */
export async function runPgBackRest(docker: Docker, container: string, args: readonly string[]): Promise<Finished> {
  return runInContainer(docker, container, { command: ["pgbackrest", ...args], user: "postgres" });
}

/**
 * The same, to a good end.
 *
 * @returns what it wrote
 * @throws OperationError saying what is wrong and what to do
 */
export async function pgBackRest(docker: Docker, container: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runPgBackRest(docker, container, args);
  if (code === 0) return stdout;
  throw diagnose(code, `${stdout}\n${stderr}`);
}
