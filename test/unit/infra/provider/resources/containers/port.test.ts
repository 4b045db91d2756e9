import { readFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { port } from "../../../../../../infra/provider/resources/containers/port.ts";
import { contextOf } from "../../call-context.ts";

/** Returns the ports that the kernel gives to outgoing connections. A server cannot listen on one that is in use. */
async function ephemeralPorts(): Promise<{ first: number; last: number }> {
  // Default of macOS, which has no such file.
  const text = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "49152 65535");
  const [first = Number.NaN, last = Number.NaN] = text.trim().split(/\s+/).map(Number);
  return { first, last };
}

describe("a port that is chosen for a container", () => {
  it("is outside the kernel's range for outgoing connections", async () => {
    const { first, last } = await ephemeralPorts();
    expect(first).toBeLessThan(last);
    for (const stack of ["dev", "staging", "production"]) {
      const { outputs } = await port.create(contextOf("Port", stack), { address: "127.0.0.1" }, false);
      const chosen = Number(outputs.port);
      expect(chosen).toBeGreaterThan(1_023);
      expect(chosen < first || chosen > last, String(chosen)).toBe(true);
    }
  });

  it("is far from that of another owner's stack of the same name, which may be stopped now", async () => {
    const chosen: number[] = [];
    try {
      for (const backend of ["s3://ana", "s3://ben"]) {
        vi.stubEnv("PULUMI_BACKEND_URL", backend);
        const { outputs } = await port.create(contextOf("Port", "dev"), { address: "127.0.0.1" }, false);
        chosen.push(Number(outputs.port));
      }
    } finally {
      vi.unstubAllEnvs();
    }
    // From the same first one, the second would be the next.
    expect(Math.abs(Number(chosen[0]) - Number(chosen[1]))).toBeGreaterThan(100);
  });
});
