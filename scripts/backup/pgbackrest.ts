import type Docker from "dockerode";
import { type Finished, runInContainer } from "../docker/run-in-container.ts";
import { diagnose } from "./diagnosis.ts";

/**
 * Runs pgBackRest in a container as postgres. Its options come from the container's environment and configuration file.
 */
export async function runPgBackRest(docker: Docker, container: string, args: readonly string[]): Promise<Finished> {
  return runInContainer(docker, container, { command: ["pgbackrest", ...args], user: "postgres" });
}

/**
 * Runs pgBackRest in a container and requires success.
 *
 * @returns its standard output
 * @throws OperationError with the cause and a hint
 */
export async function pgBackRest(docker: Docker, container: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runPgBackRest(docker, container, args);
  if (code === 0) return stdout;
  throw diagnose(code, `${stdout}\n${stderr}`);
}
