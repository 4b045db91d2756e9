import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
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
});
