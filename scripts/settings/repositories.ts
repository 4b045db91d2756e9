import type { BucketRepository, Repository } from "../model/repository.ts";
import type { ReportFault } from "./report-fault.ts";
import { suggestion } from "./suggestion.ts";

/** A longer retention makes pgBackRest read a list of backups for minutes. */
const longestRetention = 3650;

const mostRepositories = 2;

/** A text property of a bucket: its pattern, the words for what is expected, and its default. */
interface TextRule {
  pattern: RegExp;
  expected: string;
  default?: string;
  optional?: true;
  isSecret?: true;
}

const bucketRules: Readonly<Record<Exclude<keyof BucketRepository, "type" | "retentionDays">, TextRule>> = {
  endpoint: {
    pattern: /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i,
    expected: "a host name, with a port if needed and without https://",
  },
  region: { pattern: /^[a-z0-9-]+$/i, expected: "a region, such as eu-central-1" },
  bucket: { pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, expected: "the name of a bucket" },
  path: {
    pattern: /^\/[\w./-]*[\w-]$/,
    expected: "an absolute path without a slash at its end, such as /shop/production",
  },
  uriStyle: { pattern: /^(path|host)$/, expected: "path or host", default: "path" },
  caFile: { pattern: /^[^\s].*$/, expected: "the path of a file", optional: true },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would add options to pgbackrest.conf
  key: { pattern: /^[^\s\u0000-\u001f]+$/, expected: "the access key", isSecret: true },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
  keySecret: { pattern: /^[^\s\u0000-\u001f]+$/, expected: "the secret of the access key", isSecret: true },
};

/** Parses the number of days that a repository keeps backups. */
export function parseRetention(value: unknown, path: readonly PropertyKey[], report: ReportFault): number | undefined {
  const days = Number(value);
  if (Number.isInteger(days) && days >= 1 && days <= longestRetention) return days;
  report(path, `expected a whole number of days from 1 to ${longestRetention}, got '${String(value)}'`);
  return undefined;
}

/**
 * Parses the list of repositories and reports every fault.
 *
 * @param retentionDays default of a repository without its own
 */
export function parseRepositories(value: unknown, retentionDays: number, report: ReportFault): Repository[] {
  const at = "repositories";
  if (!Array.isArray(value) || value.length === 0 || value.length > mostRepositories) {
    report([at], `expected a list of one or two repositories, each of type volume or s3`);
    return [];
  }
  const parsed = value.flatMap(
    (each, index) =>
      parseRepository(each, retentionDays, (path, message) => report([at, index, ...path], message)) ?? [],
  );
  const places = parsed.map(placeOf);
  if (parsed.length === 2 && places[0] === places[1])
    report([at, 1], "is the same place as the first one; use another bucket, or another path");
  // The volume is mounted by the server's container, which has only one.
  return parsed.sort((one, other) => Number(one.type !== "volume") - Number(other.type !== "volume"));
}

function placeOf(repository: Repository): string {
  if (repository.type === "volume") return "volume";
  return `${repository.endpoint}/${repository.bucket}${repository.path}`.toLowerCase();
}

function parseRepository(value: unknown, defaultDays: number, report: ReportFault): Repository | undefined {
  const given = (typeof value === "object" && value !== null ? value : { type: value }) as Record<string, unknown>;
  const { type, retentionDays: days, ...rest } = given;
  if (type !== "volume" && type !== "s3") {
    report([], `expected an object with the type volume or s3, got the type '${String(type)}'`);
    return undefined;
  }
  const retentionDays = days === undefined ? defaultDays : parseRetention(days, ["retentionDays"], report);
  const rules: Readonly<Record<string, TextRule>> = type === "s3" ? bucketRules : {};
  const known = ["type", "retentionDays", ...Object.keys(rules)];
  for (const name of Object.keys(rest))
    if (!known.includes(name)) report([name], `is not a setting of the type ${type}${suggestion(name, known)}`);
  const texts: Record<string, string> = {};
  let isComplete = retentionDays !== undefined;
  for (const [name, rule] of Object.entries(rules)) {
    const text = parseText(rest[name], rule, (message) => report([name], message));
    if (text !== undefined) texts[name] = text;
    else if (rule.optional !== true || rest[name] !== undefined) isComplete = false;
  }
  return isComplete ? ({ type, retentionDays, ...texts } as Repository) : undefined;
}

function parseText(value: unknown, rule: TextRule, report: (message: string) => void): string | undefined {
  if (value === undefined) {
    if (rule.default === undefined && rule.optional !== true) report(`is missing; expected ${rule.expected}`);
    return rule.default;
  }
  if (typeof value === "string" && rule.pattern.test(value)) return value;
  const got = rule.isSecret === true ? "" : `, got '${typeof value === "string" ? value : JSON.stringify(value)}'`;
  report(`expected ${rule.expected}${got}`);
  return undefined;
}
