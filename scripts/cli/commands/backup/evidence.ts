import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { EvidencePosition, VerifiedEvidence } from "../../../backup/drill/evidence.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { style } from "../../output.ts";
import { outputsOf } from "../../stack.ts";
import { insteadOfBackups } from "./stack.ts";

interface VerifyOptions {
  publicKey?: string;
  newest?: EvidencePosition;
}

export function registerBackupEvidence(backup: Command): void {
  const evidence = backup.command("evidence").description("signed results of restore drills");
  evidence
    .command("key <file>")
    .description("create a key that signs evidence: the private key in a new file, the public key in <file>.pub")
    .addOption(jsonOption())
    .action(action<object, [string]>(key));
  evidence
    .command("copy <dir>")
    .description("copy the evidence of the stack's own drills, and its public key as drill.key.pub, into a new folder")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(action<{ stack?: string }, [string]>(copy));
  evidence
    .command("verify <dir>")
    .description("check that no run in a folder of evidence was changed, removed or reordered (exit code 5 if one was)")
    .option("--public-key <file>", "public key of `backup evidence key` (required)")
    .option(
      "--newest <number:hash>",
      "number and hash of a run, as a drill printed them, to find a removed newest run",
      position,
    )
    .addOption(jsonOption())
    .action(action<VerifyOptions, [string]>(verify));
}

async function key(context: CommandContext, _options: object, name: string): Promise<undefined> {
  const { createEvidenceKey } = await import("../../../backup/drill/evidence.ts");
  const file = resolve(name);
  const publicFile = createEvidenceKey(file);
  context.out.answer({ file, publicFile }, () =>
    [
      `The private key is in ${file}, the public key in ${publicFile}.`,
      "Keep the private key where the drills run, and away from whoever could change the evidence.",
    ].join("\n"),
  );
  return undefined;
}

async function copy(
  context: CommandContext,
  { stack = localStack }: { stack?: string },
  dir: string,
): Promise<undefined> {
  const { server, databases } = await outputsOf(context, stack, false);
  const evidence = server.kind === "docker" ? server.backups?.evidence : undefined;
  if (server.kind !== "docker" || evidence === undefined)
    throw new OperationError(`Stack "${stack}" has no container that runs restore drills.`, {
      hint:
        server.kind === "docker"
          ? `Add drill: true to pgroundwork:backups in Pulumi.${stack}.yaml, and run \`up\`.`
          : insteadOfBackups({ server, databases }, stack),
      exitCode: exitCode.usage,
    });
  const { requireEmptyDirectory } = await import("../../../backup/restore/extract-directory.ts");
  const { requireEvidenceFolder } = await import("../../../backup/drill/evidence.ts");
  const { copyEvidence } = await import("../../../backup/drill/evidence-volume.ts");
  const { withDocker } = await import("../../../docker/client.ts");
  const { writeFileAtomically } = await import("../../../core/atomic-file.ts");
  const folder = resolve(dir);
  await requireEmptyDirectory(folder);
  requireEvidenceFolder(folder);
  await withDocker(server.dockerHost, (docker) => copyEvidence(docker, evidence.container, folder));
  const publicFile = join(folder, "drill.key.pub");
  writeFileAtomically(publicFile, evidence.publicKey, { mode: 0o644, exclusive: true });
  const { number, hash } = evidence;
  context.out.answer({ folder, publicFile, newest: number === 0 ? null : { number, hash } }, () =>
    [
      `The evidence is in ${folder}, its public key in ${publicFile}.`,
      number === 0 ? "`up` has not seen any evidence yet." : `Newest run that \`up\` has seen: ${number}:${hash}`,
    ].join("\n"),
  );
  return undefined;
}

async function verify(context: CommandContext, { publicKey, newest }: VerifyOptions, dir: string): Promise<ExitCode> {
  if (publicKey === undefined)
    throw new OperationError("Evidence is verified with a public key, and none is given.", {
      hint: "Add --public-key FILE: the file that `backup evidence key` created, with .pub at its end.",
      exitCode: exitCode.usage,
    });
  const { readPublicKey, verifyEvidence } = await import("../../../backup/drill/evidence.ts");
  const folder = resolve(dir);
  const verified = verifyEvidence(folder, readPublicKey(resolve(publicKey)), newest);
  context.out.answer({ folder, ...verified }, () => describe(folder, verified));
  return verified.faults.length > 0 ? exitCode.wrong : exitCode.done;
}

function describe(folder: string, { runs, newest, faults }: VerifiedEvidence): string {
  const lines = faults.map(({ code, detail }) => `${style("red", code.padEnd(11))} ${detail}`);
  const last = newest === null ? "" : `, the newest ${newest.number}:${newest.hash}`;
  const found = faults.length === 0 ? "no fault found" : faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return [...lines, `${folder}: ${runs === 1 ? "1 run" : `${runs} runs`}${last}; ${found}`].join("\n");
}

function position(text: string): EvidencePosition {
  const [, number, hash = ""] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (number !== undefined && Number(number) > 0) return { number: Number(number), hash };
  throw new InvalidArgumentError("expected a number, a colon and 64 hexadecimal digits.");
}
