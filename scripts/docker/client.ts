import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { parseDockerHost } from "../model/docker-host.ts";
import { dockerError } from "./docker-error.ts";
import { sshAgent } from "./ssh-agent.ts";

/**
 * Creates a client of a Docker engine.
 *
 * @param host as `parseDockerHost` reads it; default: `DOCKER_HOST`, else this machine's own engine
 * @throws OperationError for an invalid host, or TLS files that cannot be read
 */
export function dockerClient(host?: string): Docker {
  const text = host || process.env.DOCKER_HOST;
  // dockerode finds the socket itself, also that of Docker Desktop.
  if (text === undefined || text === "") return new Docker();
  const parsed = parseDockerHost(text);
  switch (parsed.kind) {
    case "socket":
      return new Docker({ socketPath: parsed.path });
    case "ssh":
      return new Docker({
        protocol: "http",
        host: "docker",
        port: 80,
        agent: sshAgent(parsed),
      } as Docker.DockerOptions);
    case "tcp": {
      const { host: name, port } = parsed;
      const verified = parsed.tls || isSet(process.env.DOCKER_TLS_VERIFY);
      if (!verified) return new Docker({ protocol: "http", host: name, port });
      return new Docker({ protocol: "https", host: name, port, ...clientCertificate() });
    }
  }
}

/**
 * Runs work with a Docker engine.
 *
 * @throws OperationError that names the engine, if it cannot be reached or refuses
 */
export async function withDocker<T>(host: string | undefined, work: (docker: Docker) => Promise<T>): Promise<T> {
  const docker = dockerClient(host);
  try {
    return await work(docker);
  } catch (error) {
    throw dockerError(host, error);
  }
}

/** Reads the client certificate and the CA certificate from where Docker's own tools read them. */
function clientCertificate(): { ca: string; cert: string; key: string } {
  const folder = process.env.DOCKER_CERT_PATH || join(homedir(), ".docker");
  const read = (name: string) => {
    const path = join(folder, name);
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new OperationError(`Cannot read the Docker client's certificate file ${path}.`, {
        hint: "Put ca.pem, cert.pem and key.pem into the folder in DOCKER_CERT_PATH.",
        cause: error,
      });
    }
  };
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0";
}
