import { OperationError } from "../core/operation-error.ts";

/** Address of a Docker engine. */
export type DockerHost =
  | { kind: "socket"; path: string }
  | { kind: "tcp"; host: string; port: number; tls: boolean }
  | { kind: "ssh"; host: string; port: number | undefined; user: string | undefined };

/**
 * Parses a Docker host as Docker's own tools write it: `unix:///run/docker.sock`, `tcp://host:2376` (TLS on 2376),
 * `ssh://user@host:22`.
 *
 * @throws OperationError if it is invalid
 */
export function parseDockerHost(text: string): DockerHost {
  const faulty = (reason: string) =>
    new OperationError(`"${text}" is not a Docker host: ${reason}.`, {
      hint: "Write unix:///path/to/docker.sock, tcp://host:port or ssh://user@host.",
    });
  if (text.startsWith("unix://")) {
    const path = text.slice("unix://".length);
    if (!path.startsWith("/")) throw faulty("the socket's path must be absolute");
    return { kind: "socket", path };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "tcp:" && url.protocol !== "ssh:"))
    throw faulty("it does not start with unix://, tcp:// or ssh://");
  const { hostname: host, username, password } = url;
  if (host === "") throw faulty("it has no host name");
  if (password !== "") throw faulty("it must not contain a password");
  const port = url.port === "" ? undefined : Number(url.port);
  if (url.protocol === "ssh:") {
    // ssh would read such a host as an option.
    if (host.startsWith("-")) throw faulty(`"${host}" is not a host name`);
    return { kind: "ssh", host, port, user: username === "" ? undefined : decodeURIComponent(username) };
  }
  return { kind: "tcp", host, port: port ?? 2375, tls: port === 2376 };
}

/** Returns the name or address of the machine that the engine runs on; undefined for this machine. */
export function machineOf(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const host = parseDockerHost(text);
  return host.kind === "socket" ? undefined : host.host;
}
