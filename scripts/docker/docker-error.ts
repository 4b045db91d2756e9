import { explainTls } from "../connection/tls-error.ts";
import { OperationError } from "../core/operation-error.ts";

/** Error if no Docker engine answers. */
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
 * Converts an error of a Docker engine to one for the user. Returns other errors unchanged.
 *
 * @param host as requested; undefined: this machine's own engine
 */
export function dockerError(host: string | undefined, error: unknown): unknown {
  if (error instanceof OperationError || !(error instanceof Error)) return error;
  const { code, statusCode, json, message } = error as DockerFault;
  const where = host || process.env.DOCKER_HOST || "this machine";
  if (statusCode !== undefined) {
    const said = json?.message ?? message;
    return new OperationError(
      `The Docker engine of ${where} refused the request: ${said.trim()}.`.replace(/\.\.$/, "."),
      {
        cause: error,
      },
    );
  }
  if (code === "EACCES") {
    return new DockerUnreachable(`This user is not allowed to use the Docker engine of ${where} (EACCES).`, {
      hint: "Add the user to the group docker and log in again, or use a rootless engine.",
      cause: error,
    });
  }
  const tls = explainTls(where.replace(/^tcp:\/\/|:\d+$/g, ""), error);
  if (tls !== undefined) {
    return new DockerUnreachable(`The Docker engine of ${where} cannot be verified: ${tls.reason}.`, {
      hint: "Correct DOCKER_CERT_PATH or pgroundwork:dockerHost. The folder must contain the CA of the engine's certificate and your client certificate (ca.pem, cert.pem, key.pem).",
      cause: error,
    });
  }
  // Errors of ssh have no code.
  if (unreachable.includes(code ?? "") || /socket hang up|ssh|Permission denied|Host key/i.test(message)) {
    return new DockerUnreachable(`No Docker engine answers on ${where}: ${code ?? message.replace(/\.$/, "")}.`, {
      hint: "Start the Docker engine, or correct pgroundwork:dockerHost (or DOCKER_HOST).",
      cause: error,
    });
  }
  return error;
}

/** Returns true if Docker answered that the object does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as DockerFault).statusCode === 404;
}

/** Returns the engine's answer about an object; undefined if the object does not exist. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Returns true if Docker answered that an object already exists, or is in a state that does not allow the request. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && (error as DockerFault).statusCode === 409;
}

interface DockerFault extends Error {
  code?: string;
  statusCode?: number;
  json?: { message?: string } | null;
}
