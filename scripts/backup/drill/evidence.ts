import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { leadsNowhere, unlessAbsentSync } from "../../core/absent.ts";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { Drill } from "./drill.ts";

/** Number and hash of a run. They stand for all runs before it, too, because each contains the hash of the last. */
export interface EvidencePosition {
  number: number;
  /** SHA-256 in hex of the run and its signature. */
  hash: string;
}

/** The part of a run that its signature covers. */
export interface EvidenceStatement {
  version: 1;
  /** Counted from 1. */
  number: number;
  /** Hash of the run before it; null for the first. */
  previous: string | null;
  project: string;
  stack: string;
  /** Name of the volume with the repository. */
  repository: string;
  drill: Drill;
}

const fileSchema = z.object({
  statement: z.looseObject({
    version: z.literal(1),
    number: z.int().positive(),
    previous: z.string().nullable(),
    project: z.string(),
    stack: z.string(),
    repository: z.string(),
  }),
  signature: z.string(),
});

type EvidenceFile = z.output<typeof fileSchema>;

const fileName = /^(\d{6,})\.json$/;
const nameOf = (number: number) => `${String(number).padStart(6, "0")}.json`;

/**
 * Creates a key pair: the private key in a new file, the public key in a file of the same name with `.pub`.
 *
 * @returns path of the public key
 * @throws OperationError (exit code usage) if one of the files exists
 */
export function createEvidenceKey(file: string): string {
  const publicFile = `${file}.pub`;
  const existing = [file, publicFile].find((path) => existsSync(path));
  if (existing !== undefined)
    throw new OperationError(`The file ${existing} already exists.`, {
      hint: "Name a new file. Evidence that was signed with an overwritten key could no longer be continued.",
      exitCode: exitCode.usage,
    });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const [pkcs8, spki] = [
    privateKey.export({ type: "pkcs8", format: "pem" }),
    publicKey.export({ type: "spki", format: "pem" }),
  ];
  writeFileAtomically(file, String(pkcs8), { mode: 0o600, exclusive: true });
  writeFileAtomically(publicFile, String(spki), { mode: 0o644, exclusive: true });
  return publicFile;
}

/** Reads an Ed25519 private key (PEM) from a file. */
export function readPrivateKey(file: string): KeyObject {
  return readKey(file, createPrivateKey, "private key");
}

/** Reads an Ed25519 public key (PEM) from a file. */
export function readPublicKey(file: string): KeyObject {
  return readKey(file, createPublicKey, "public key");
}

function readKey(file: string, parse: (pem: string) => KeyObject, what: string): KeyObject {
  const usage = (reason: string, cause?: unknown) =>
    new OperationError(`The ${what} cannot be read from ${file}: ${reason}.`, {
      hint: "Create a pair: npm run pgw -- backup evidence key FILE",
      exitCode: exitCode.usage,
      cause,
    });
  const pem = unlessAbsentSync(() => readFileSync(file, "utf8"), leadsNowhere);
  if (pem === undefined) throw usage("the file does not exist");
  let key: KeyObject;
  try {
    key = parse(pem);
  } catch (cause) {
    throw usage("it is no key in PEM format", cause);
  }
  if (key.asymmetricKeyType !== "ed25519") throw usage("it is no Ed25519 key");
  return key;
}

/**
 * Creates the folder of the evidence if it does not exist.
 *
 * @throws OperationError (exit code usage) if it cannot be written to
 */
export function requireEvidenceFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? cause.code : cause;
    throw new OperationError(`Cannot write evidence to ${folder} (${reason}).`, {
      hint: "Name a folder that this account can write to.",
      exitCode: exitCode.usage,
      cause,
    });
  }
}

/**
 * Writes the evidence of a run into a folder, signed, with the next number and the hash of the run before it.
 *
 * @param recorded newest run that is recorded elsewhere. If the folder has lost it, numbers continue after it, so that
 * {@link verifyEvidence} finds the gap
 */
export function appendEvidence(
  folder: string,
  key: KeyObject,
  run: Omit<EvidenceStatement, "version" | "number" | "previous">,
  recorded: EvidencePosition | undefined,
): EvidencePosition {
  const newest = newestIn(folder);
  const last = recorded !== undefined && recorded.number >= (newest?.number ?? 0) ? recorded : newest;
  const number = (last?.number ?? 0) + 1;
  const statement: EvidenceStatement = { version: 1, number, previous: last?.hash ?? null, ...run };
  const signature = sign(null, Buffer.from(canonical(statement)), key).toString("base64");
  const text = `${JSON.stringify({ statement, signature }, null, 2)}\n`;
  writeFileAtomically(join(folder, nameOf(number)), text, { mode: 0o644, exclusive: true });
  return { number, hash: hashOf({ statement: { ...statement }, signature }) };
}

function newestIn(folder: string): EvidencePosition | undefined {
  const newest = filesIn(folder).at(-1);
  if (newest === undefined) return undefined;
  const { file } = parseFile(folder, newest.name);
  // A damaged file has no hash that a later run could confirm. Its number stays used.
  return { number: newest.number, hash: file === undefined ? "" : hashOf(file) };
}

/** A fault of the evidence. */
export interface EvidenceFault {
  /** `changed`, `missing`, `reordered`, `foreign` (another stack or repository) or `unreadable`. */
  code: "changed" | "missing" | "reordered" | "foreign" | "unreadable";
  /** Number of the run. */
  number: number;
  detail: string;
}

/** Result of verifying evidence. */
export interface VerifiedEvidence {
  /** Number of runs in the folder. */
  runs: number;
  /** Newest run of the folder; null if it cannot be read. */
  newest: EvidencePosition | null;
  faults: EvidenceFault[];
}

/**
 * Verifies the runs in a folder with the public key alone: their signatures, numbers and hashes. A removed newest run
 * is only found with `newest`, or once a later run is there.
 *
 * @param newest number and hash of a run, as an earlier drill printed them
 * @throws OperationError if the folder has no evidence
 */
export function verifyEvidence(folder: string, key: KeyObject, newest?: EvidencePosition): VerifiedEvidence {
  const files = filesIn(folder);
  if (files.length === 0)
    throw new OperationError(`There is no evidence in ${folder}.`, {
      hint: "Name the folder that `backup drill --evidence` writes to. Without a file, nothing is verified.",
    });
  const faults: EvidenceFault[] = [];
  const add = (code: EvidenceFault["code"], number: number, detail: string) => faults.push({ code, number, detail });
  const hashes = new Map<number, string>();
  let before: EvidenceFile | undefined;
  let expected = 1;
  for (const { name, number } of files) {
    for (; expected < number; expected++) add("missing", expected, `${nameOf(expected)} is missing`);
    expected = number + 1;
    const { file, reason } = parseFile(folder, name);
    if (file === undefined) {
      add("unreadable", number, `${name}: ${reason}`);
      before = undefined;
      continue;
    }
    const { statement, signature } = file;
    const isSigned = verify(null, Buffer.from(canonical(statement)), key, Buffer.from(signature, "base64"));
    if (!isSigned) add("changed", number, `${name} does not match its signature, or was signed with another key`);
    else if (statement.number !== number) add("reordered", number, `${name} holds run ${statement.number}`);
    else {
      hashes.set(number, hashOf(file));
      const previous = hashes.get(number - 1);
      if (number === 1 ? statement.previous !== null : previous !== undefined && statement.previous !== previous)
        add("changed", number - 1, `${name} was made after another run ${number - 1} than the one in the folder`);
      if (before !== undefined && identity(before) !== identity(file))
        add("foreign", number, `${name} is of ${identity(file)}, the run before it of ${identity(before)}`);
      before = file;
    }
  }
  const last = files.at(-1)?.number ?? 0;
  if (newest !== undefined) {
    for (let number = last + 1; number <= newest.number; number++)
      add("missing", number, `${nameOf(number)} is missing`);
    const hash = hashes.get(newest.number);
    if (hash !== undefined && hash !== newest.hash)
      add("changed", newest.number, `${nameOf(newest.number)} has the hash ${hash}, not ${newest.hash}`);
  }
  const hash = hashes.get(last);
  return { runs: files.length, newest: hash === undefined ? null : { number: last, hash }, faults };
}

function identity({ statement: { project, stack, repository } }: EvidenceFile): string {
  return `stack ${stack} of ${project} with the repository ${repository}`;
}

function filesIn(folder: string): { name: string; number: number }[] {
  const names = unlessAbsentSync(() => readdirSync(folder), leadsNowhere) ?? [];
  return names
    .flatMap((name) => {
      const number = Number(fileName.exec(name)?.[1]);
      return nameOf(number) === name ? [{ name, number }] : [];
    })
    .sort((a, b) => a.number - b.number);
}

function parseFile(folder: string, name: string): { file?: EvidenceFile; reason?: string } {
  try {
    return { file: fileSchema.parse(JSON.parse(readFileSync(join(folder, name), "utf8"))) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return { reason: "it is no evidence of a drill" };
    throw error;
  }
}

function hashOf({ statement, signature }: EvidenceFile): string {
  return createHash("sha256").update(canonical({ statement, signature })).digest("hex");
}

/** Formats a value as canonical JSON (RFC 8785): members sorted by name, no white space. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
