import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EngineInstallation } from "../../scripts/pulumi/ensure-engine.ts";
import { cloneRoot } from "../clone-root.ts";

const run = promisify(execFile);

/**
 * Creates a program without resources in a separate stack, run with the kit's engine. Returns a function that runs its
 * `up` with flags.
 */
export async function emptyProgram(
  folder: string,
  engine: EngineInstallation,
): Promise<(...flags: string[]) => Promise<void>> {
  await mkdir(join(folder, "state"), { recursive: true });
  await symlink(join(cloneRoot, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), `{ "type": "module" }\n`);
  await writeFile(join(folder, "index.ts"), `import "@pulumi/pulumi";\n`);
  const project = "name: empty\nruntime: { name: nodejs, options: { typescript: false } }\nmain: index.ts\n";
  await writeFile(join(folder, "Pulumi.yaml"), project);
  const env = {
    ...process.env,
    ...engine.environment,
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
  };
  const pulumi = async (...args: string[]) => void (await run(engine.pulumi, args, { cwd: folder, env }));
  await pulumi("stack", "init", "empty");
  return (...flags) => pulumi("up", ...flags, "--stack", "empty");
}
