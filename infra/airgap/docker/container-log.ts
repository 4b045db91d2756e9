import type Docker from "dockerode";
import { withoutHeaders } from "../../../scripts/docker/container-log.ts";

/** How many lines of a log a message quotes. */
const quoted = 20;

/** The last lines of a container's log, to stand behind a sentence; empty where there are none, or none that can be read. */
export async function lastLines(container: Docker.Container): Promise<string> {
  try {
    const [{ Config }, log] = await Promise.all([
      container.inspect(),
      container.logs({ stdout: true, stderr: true, tail: quoted, follow: false }),
    ]);
    const text = Config.Tty ? log.toString("utf8") : withoutHeaders(log);
    const lines = text.trimEnd().split("\n").slice(-quoted);
    return lines.join("").trim() === "" ? "" : ` Its last lines:\n${lines.map((line) => `    ${line}`).join("\n")}`;
  } catch {
    // Not every log driver can be read, and the sentence stands without.
    return "";
  }
}
