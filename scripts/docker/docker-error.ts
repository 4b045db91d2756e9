import { OperationError } from "../errors/operation-error.ts";
import { explainTls } from "../target/tls-error.ts";

/** No Docker engine answers. */
export class DockerUnreachable extends OperationError {}

const unreachable = [
  "ECONNREFUSED",
  "ENOENT",
  "EACCES",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ECONNRESET",
  "EPIPE",
];

/**
 * What went wrong with a Docker engine, for the person who asked for it.
 *
 * @param host as it was asked for; undefined: this machine's own
 */
export function dockerError(host: string | undefined, error: unknown): unknown {
  if (error instanceof OperationError || !(error instanceof Error)) return error;
  const { code, statusCode, json, message } = error as DockerFault;
  const where = host || process.env.DOCKER_HOST || "this machine";
  if (statusCode !== undefined) {
    const said = json?.message ?? message;
    return new OperationError(`The Docker engine of ${where} refused: ${said.trim()}.`.replace(/\.\.$/, "."), {
      cause: error,
    });
  }
  if (code === "EACCES") {
    return new DockerUnreachable(`The Docker engine of ${where} may not be used by this user (EACCES).`, {
      remedy: "Add the user to the group docker and log in again, or use a rootless engine.",
      cause: error,
    });
  }
  const tls = explainTls(where.replace(/^tcp:\/\/|:\d+$/g, ""), error);
  if (tls !== undefined) {
    return new DockerUnreachable(`The Docker engine of ${where} cannot be verified: ${tls.reason}.`, {
      remedy:
        "DOCKER_CERT_PATH names the folder with the authority of the engine's certificate and your own (ca.pem, cert.pem, key.pem). Correct it, or pgroundwork:dockerHost.",
      cause: error,
    });
  }
  // What ssh says has no code.
  if (unreachable.includes(code ?? "") || /socket hang up|ssh|Permission denied|Host key/i.test(message)) {
    return new DockerUnreachable(`No Docker engine answers on ${where}: ${code ?? message.replace(/\.$/, "")}.`, {
      remedy: "Start the Docker engine, or correct pgroundwork:dockerHost (or DOCKER_HOST).",
      cause: error,
    });
  }
  return error;
}

/** Whether Docker said that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as DockerFault).statusCode === 404;
}

/** What an engine answers about one thing; undefined: there is no such thing. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether Docker said that a thing is there already, or in another state than asked for. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && (error as DockerFault).statusCode === 409;
}

interface DockerFault extends Error {
  code?: string;
  statusCode?: number;
  json?: { message?: string } | null;
}
