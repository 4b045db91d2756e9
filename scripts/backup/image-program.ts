import type Docker from "dockerode";
import type { Known } from "../core/known.ts";
import { runInContainer } from "../docker/run-in-container.ts";

/** Folders that hold the last results. The second is used if the first cannot be written. */
const places = ["/var/lib/pgbackrest/pgroundwork", "/var/spool/pgbackrest"];

/**
 * Runs a program of the image in a container that has the repository, and returns what it prints.
 *
 * @param absent reason if the image has no such program
 */
export async function runProgram(
  docker: Docker,
  container: string,
  program: string,
  absent: string,
): Promise<Known<{ output: string }>> {
  const { code, stdout, stderr } = await runInContainer(docker, container, {
    command: ["sh", "-c", `command -v ${program} >/dev/null || exit 127; exec ${program}`],
    user: "postgres",
  });
  if (code === 127) return { known: false, reason: absent };
  if (code !== 0) return { known: false, reason: `${program} ended with ${code}: ${stderr.trim().split("\n").at(-1)}` };
  return { known: true, output: stdout };
}

/** Reads the results that a program of the image left in a container: none, or one line of JSON for each folder. */
export async function readResults(docker: Docker, container: string, file: string): Promise<string[]> {
  const command = ["sh", "-c", `cat ${places.map((place) => `${place}/${file}`).join(" ")} 2>/dev/null`];
  const { stdout } = await runInContainer(docker, container, { command, user: "postgres" });
  return stdout.split("\n").filter((line) => line !== "");
}
