import { createServer } from "node:net";
import { OperationError } from "../errors/operation-error.ts";

/** @throws OperationError for a TCP port of this machine's loopback that another program listens on, or that this user may not open */
export async function requireFreePort(host: string, port: number): Promise<void> {
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  if (failure === undefined) return;
  const reason = { EADDRINUSE: "is taken by another program", EACCES: "may not be opened by this user" }[
    failure.code ?? ""
  ];
  throw new OperationError(`Port ${port} of ${host} ${reason ?? `cannot be listened on: ${failure.message}`}.`, {
    remedy: "Choose another port with `pulumi config set port N`, or free this one. The server was left as it was.",
    cause: failure,
  });
}
