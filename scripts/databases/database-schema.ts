import { z } from "zod";
import { nearest } from "../core/nearest.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { JobSpec, PartitionSpec } from "./job-spec.ts";
import { partitionJobNames, partitionJobs } from "./partition-jobs.ts";

export type { JobSpec, PartitionSpec } from "./job-spec.ts";

/** An extension of the database, created by the admin connection. */
export interface DeclaredExtension {
  name: string;
  /** True if an extension that the server cannot provide is only reported, and is no error. Default: false. */
  optional: boolean;
  /** Schema of its objects. Default: the server's (`public`). */
  schema?: string;
}

/** Content of `migrations/<database>/database.json`: facts that hold for this database in every stack. */
export interface DatabaseFile {
  description?: string;
  extensions: DeclaredExtension[];
  /** Seed sets of the database, each a folder `seeds/<set>`. */
  seedSets: string[];
  partitions?: PartitionSpec;
  /** Declared jobs, and those that `partitions` adds. */
  jobs?: JobSpec[];
}

const extension = z.union(
  [
    z.string().min(1),
    z.strictObject({
      name: z.string().min(1),
      optional: z.boolean().optional(),
      schema: z.string().min(1).optional(),
    }),
  ],
  { error: 'expected a name, or an object like {"name": "pgcrypto", "optional": true, "schema": "public"}' },
);

const setName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]*$/, "a set is the name of a folder: lower-case letters, digits, - and _");

const jobName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9 _-]{0,62}$/, "a job's name has lower-case letters, digits, spaces, - and _, at most 63");

const job = z.strictObject({
  schedule: z.string().min(1),
  command: z.string().min(1),
  optional: z.boolean().optional(),
});

const shape = z.strictObject({
  description: z.string().optional(),
  extensions: z.array(extension).optional(),
  seedSets: z.array(setName).optional(),
  partitions: z
    .strictObject({
      function: z.string().regex(/^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$/, "expected schema.name, in lower case"),
      monthsAhead: z.int().min(1).max(120),
      keepMonths: z.int().min(1).max(1_200).optional(),
    })
    .optional(),
  jobs: z.record(jobName, job).optional(),
});

/** The known keys, by path of the object that holds them. */
const knownKeys: Record<string, string[]> = {
  "": Object.keys(shape.shape),
  partitions: ["function", "monthsAhead", "keepMonths"],
};

/**
 * Parses and validates the text of a `database.json`.
 *
 * @param file its name in messages
 * @throws OperationError (exit code usage) with all errors
 */
export function parseDatabaseFile(text: string, file: string): DatabaseFile {
  let content: unknown;
  // In a parser's message this character is invisible.
  if (text.startsWith("\uFEFF"))
    throw faultsIn(file, ["it begins with a byte order mark; save it as UTF-8 without one"], undefined);
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw faultsIn(file, [`it is not JSON: ${error instanceof Error ? error.message : String(error)}`], error);
  }
  const parsed = shape.safeParse(content);
  const faults = parsed.success ? [] : parsed.error.issues.flatMap(faultOf);
  if (parsed.success) {
    const names = (parsed.data.extensions ?? []).map((each) => (typeof each === "string" ? each : each.name));
    faults.push(...repeated("extensions", names), ...repeated("seedSets", parsed.data.seedSets ?? []));
    if (parsed.data.partitions !== undefined) faults.push(...reservedNames(Object.keys(parsed.data.jobs ?? {})));
  }
  if (!parsed.success || faults.length > 0) throw faultsIn(file, faults);
  const { description, extensions = [], seedSets = [], jobs } = parsed.data;
  const partitions = parsed.data.partitions as PartitionSpec | undefined;
  const all = [
    ...Object.entries(jobs ?? {}).map(jobSpec),
    ...(partitions === undefined ? [] : partitionJobs(partitions)),
  ];
  return {
    ...(description === undefined ? {} : { description }),
    extensions: extensions.map(declared),
    seedSets,
    ...(partitions === undefined ? {} : { partitions }),
    ...(all.length === 0 ? {} : { jobs: all }),
  };
}

function jobSpec([name, { schedule, command, optional = false }]: [string, z.infer<typeof job>]): JobSpec {
  return { name, schedule, command, optional };
}

function reservedNames(jobs: readonly string[]): string[] {
  const reserved: readonly string[] = Object.values(partitionJobNames);
  return jobs.filter((name) => reserved.includes(name)).map((name) => `jobs: "${name}" is a job of "partitions"`);
}

function declared(value: z.infer<typeof extension>): DeclaredExtension {
  if (typeof value === "string") return { name: value, optional: false };
  const { name, optional = false, schema } = value;
  return { name, optional, ...(schema === undefined ? {} : { schema }) };
}

function faultOf(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = nearest(key, knownKeys[place] ?? []);
      const label = place === "" ? key : `${place}.${key}`;
      return `"${label}" is not known${near === undefined ? "" : `, did you mean "${near}"?`}`;
    });
  }
  return [place === "" ? issue.message : `${place}: ${issue.message}`];
}

function repeated(key: string, values: readonly string[]): string[] {
  const twice = values.filter((value, index) => values.indexOf(value) !== index);
  return [...new Set(twice)].map((value) => `${key}: "${value}" is listed more than once`);
}

function faultsIn(file: string, faults: readonly string[], cause?: unknown): OperationError {
  return new OperationError([`${file} is not valid:`, ...faults.map((fault) => `- ${fault}`)].join("\n"), {
    hint: "Correct the file. If there is nothing to declare, it must contain {}.",
    exitCode: exitCode.usage,
    cause,
  });
}
