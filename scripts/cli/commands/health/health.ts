import type { Command } from "commander";
import { type Registration, register } from "../../registration.ts";

const verbs: Readonly<Record<string, Registration>> = {
  check: async () => (await import("./check.ts")).registerHealthCheck,
  serve: async () => (await import("./serve.ts")).registerHealthServe,
  "test-alert": async () => (await import("./test-alert.ts")).registerTestAlert,
};

export async function registerHealth(program: Command, typed: readonly string[]): Promise<void> {
  const health = program.command("health").description("state of a server");
  await register(health, verbs, typed);
}
