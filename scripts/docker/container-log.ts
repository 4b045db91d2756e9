import { once } from "node:events";
import type { Writable } from "node:stream";
import type Docker from "dockerode";

/** Returns the end of a container's log, to be added to an error. Empty if there is none or it cannot be read. */
export async function lastLogLines(docker: Docker, container: string, lines: number): Promise<string> {
  return readLog(docker, container, lines).catch(() => "");
}

async function readLog(docker: Docker, container: string, lines: number): Promise<string> {
  const log = await docker.getContainer(container).logs({ stdout: true, stderr: true, tail: lines });
  return withoutHeaders(log).trimEnd();
}

/**
 * Size in bytes of the header before each chunk of the log of a container without a terminal: stream, padding, length.
 */
const header = 8;

/** Returns the text of a log without these headers. */
export function withoutHeaders(log: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + header <= log.length; ) {
    const end = at + header + log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + header, end));
    at = end;
  }
  return Buffer.concat(pieces).toString("utf8");
}

/**
 * Writes the end of a container's log.
 *
 * @param options `follow`: continues with new lines until the signal aborts or the container ends
 */
export async function printLog(
  docker: Docker,
  container: string,
  { lines, follow, signal }: { lines: number; follow: boolean; signal: AbortSignal },
  to: Writable,
): Promise<void> {
  if (!follow) {
    const text = await readLog(docker, container, lines);
    if (text !== "") to.write(`${text}\n`);
    return;
  }
  const log = await docker
    .getContainer(container)
    .logs({ stdout: true, stderr: true, tail: lines, follow: true, abortSignal: signal });
  docker.modem.demuxStream(log, to, to);
  await once(log, "end", { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
