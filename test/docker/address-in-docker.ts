import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { dockerClient } from "../../scripts/docker/client.ts";

/**
 * Returns the address of this machine in Docker's default network. The engine runs on this machine. Node.js does not
 * list the address as long as no container is in that network.
 */
export async function addressInDocker(): Promise<string> {
  const { IPAM } = await dockerClient().getNetwork("bridge").inspect();
  const { Gateway: gateway, Subnet: subnet = "" } = IPAM?.Config?.[0] ?? {};
  // Docker takes the first address itself, and does not always name it.
  return gateway ?? subnet.replace(/\.0\/\d+$/, ".1");
}

/** Returns a port that is probably free. A server that comes back has the same one. */
export function somePort(): number {
  return 20_000 + (randomBytes(2).readUInt16BE() % 10_000);
}

/** Waits up to a minute until a server accepts connections at an endpoint. `ended` says if its process has ended. */
export async function waitForEndpoint(endpoint: string, ended: () => boolean = () => false): Promise<void> {
  const [host = "", port] = endpoint.split(":");
  for (const deadline = Date.now() + 60_000; !(await answers(host, Number(port))); await sleep(50))
    if (ended() || Date.now() > deadline) throw new Error(`no server started at ${endpoint}`);
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
