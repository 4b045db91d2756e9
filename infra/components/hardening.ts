import type * as docker from "@pulumi/docker";

type Hardening = Pick<
  docker.ContainerArgs,
  "init" | "readOnly" | "restart" | "memory" | "memorySwap" | "capabilities" | "securityOpts" | "logOpts"
>;

/**
 * Hardened defaults: restart policy, read-only root filesystem, no capabilities, memory limit, log rotation. The image
 * sets a user without privileges, and `ContainerLimits` limits the processes.
 *
 * @param memory limit in MB
 * @param logFile maximum size of each of the log's three files, as Docker writes it: `50m`
 */
export function hardening(memory: number, logFile: string): Hardening {
  return {
    init: true,
    readOnly: true,
    restart: "unless-stopped",
    memory,
    // Without it, or with another value, the engine adds swap.
    memorySwap: memory,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    logOpts: { "max-size": logFile, "max-file": "3" },
  };
}
