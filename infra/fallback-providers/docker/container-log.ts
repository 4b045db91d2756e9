import type Docker from "dockerode";
import { withoutHeaders } from "../../../scripts/docker/container-log.ts";

/** Number of log lines in a message. */
const quoted = 20;

/**
 * Returns the last lines of a container's log, to follow a sentence. Returns an empty string if there are none or the
 * log cannot be read.
 */
export async function lastLines(container: Docker.Container): Promise<string> {
  try {
    const [{ Config }, log] = await Promise.all([
      container.inspect(),
      container.logs({ stdout: true, stderr: true, tail: quoted, follow: false }),
    ]);
    const text = Config.Tty ? log.toString("utf8") : withoutHeaders(log);
    const lines = text.trimEnd().split("\n").slice(-quoted);
    return lines.join("").trim() === ""
      ? ""
      : ` Last lines of its log:\n${lines.map((line) => `    ${line}`).join("\n")}`;
  } catch {
    // Some log drivers cannot be read. The message is complete without the log.
    return "";
  }
}
