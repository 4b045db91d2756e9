import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Engine } from "./engine.ts";
import { saidBy } from "./removal.ts";

const portTaken = /port is already allocated|address already in use/;

/** Matches `Bind for 127.0.0.1:5432 failed`, `listen tcp4 127.0.0.1:5432: bind`, `[::]:5432` */
const boundAddress = /(?:Bind for|listen \w+) (\S+):(\d+)\b/;

/** Explains why a container did not start. An unknown error is returned unchanged. */
export async function startFailure(engine: Engine, name: string, error: unknown): Promise<unknown> {
  const said = saidBy(error);
  if (portTaken.test(said)) return portFailure(engine, name, said, error);
  if (/no space left on device/.test(said)) {
    return new OperationError(
      `The Docker engine of ${engine.where} has no space left for container "${name}": ${said}.`,
      {
        hint: "Free disk space there (`docker system df` shows what uses it), then run `up` again.",
        cause: error,
      },
    );
  }
  return error;
}

async function portFailure(engine: Engine, name: string, said: string, cause: unknown) {
  const [, address = "", port = ""] = boundAddress.exec(said) ?? [];
  if (port === "") return cause;
  const containers = await engine.docker.listContainers().catch(() => []);
  const holder = containers.find((candidate) => candidate.Ports.some(({ PublicPort }) => PublicPort === Number(port)));
  const whose = holder === undefined ? "another program" : `container "${holder.Names[0]?.slice(1) ?? holder.Id}"`;
  return new OperationError(`Container "${name}" cannot use port ${port} on ${address}: ${whose} uses it.`, {
    hint: "Choose another port in the stack's settings (pgroundwork:port is the server's), or stop what uses this one.",
    cause,
  });
}
