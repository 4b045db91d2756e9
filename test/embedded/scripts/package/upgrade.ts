import { processVariables } from "../../../support/processes/variables.ts";
import { faultsOfUpgrade } from "../../../support/versions/check.ts";
import { makePackageProject, plainTraces } from "./pulumi-project.ts";

/** Programs with the package that declare what the recorded stacks of the kit's own program have. */
const programs = {
  local: `const settings = {
  max_worker_processes: 8,
  max_parallel_workers_per_gather: 2,
  max_parallel_workers: 8,
  max_parallel_maintenance_workers: 2,
  autovacuum_max_workers: 3,
  work_mem: "4MB",
};
const server = new EmbeddedServer("server", { memory: 1024, postgresql: settings });
new Database("shop", { server, seeds: ["reference", "dev"] });`,
  external: `const password = new Config("pgroundwork").requireSecret("superuserPassword");
const server = new ExternalServer("server", { host: "127.0.0.1", port: 1, user: "postgres", password, sslmode: "disable" });
new Database("shop", { server, seeds: ["reference"] });`,
  // As in the checkout, pg_cron runs the jobs of the database, which has partitions.
  staging: `const protect = { protect: true };
const settings = { cpus: 2, memory: 2048, profile: "oltp", backups: true, extensions: ["pg_cron"] } as const;
const server = new DockerServer("server", settings, protect);
new Database("shop", { server, seeds: ["reference"] }, protect);
const backups = new Backups("backups", { server });
new Monitoring("monitoring", { server, backups, health: true });`,
};

/**
 * Previews a stack of the previous version with a program that uses the package.
 *
 * @returns a line for each change that CHANGELOG.md announces wrongly or not at all
 */
export async function faultsWithPackage(stack: keyof typeof programs): Promise<string[]> {
  const imports = `import { Config } from "@pulumi/pulumi";
import { Backups, Database, DockerServer, EmbeddedServer, ExternalServer, Monitoring } from "pgroundwork/pulumi";
`;
  const program = `${imports}${plainTraces}${programs[stack]}\n`;
  const project = await makePackageProject({
    ...{ name: "pgroundwork", program, layout: "pnpm", backend: ".pgroundwork" },
    engine: processVariables(undefined),
  });
  try {
    return await faultsOfUpgrade(project, stack);
  } finally {
    await project.remove();
  }
}
