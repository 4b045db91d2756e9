import { isRemote, type Repository } from "../model/repository.ts";
import type { ReportFault } from "./report-fault.ts";
import { type PropertyRule, type RepositoryRules, repositoryRules } from "./repository-rules.ts";
import { suggestion } from "./suggestion.ts";

/** A longer retention makes pgBackRest read a list of backups for minutes. */
const longestRetention = 3650;

const mostRepositories = 2;

const types = Object.keys(repositoryRules) as Repository["type"][];

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
    report([at], `expected a list of one or two repositories, each of the type ${orList(types)}`);
    return [];
  }
  const parsed = value.flatMap(
    (each, index) =>
      parseRepository(each, retentionDays, (path, message) => report([at, index, ...path], message)) ?? [],
  );
  const places = parsed.map(placeOf);
  if (parsed.length === 2 && places[0] === places[1])
    report([at, 1], "is the same place as the first one; set another path, or use another place");
  // The volume is mounted by the server's container, which has only one.
  return parsed.sort((one, other) => Number(isRemote(one)) - Number(isRemote(other)));
}

function placeOf(repository: Repository): string {
  const { type } = repository;
  if (type === "volume") return type;
  if (type === "sftp") return `sftp://${repository.host}:${repository.port}${repository.path}`.toLowerCase();
  const store = type === "azure" ? `${repository.account}/${repository.container}` : repository.bucket;
  return `${repository.endpoint}/${store}${repository.path}`.toLowerCase();
}

function parseRepository(value: unknown, defaultDays: number, report: ReportFault): Repository | undefined {
  const given = (typeof value === "object" && value !== null ? value : { type: value }) as Record<string, unknown>;
  const { type, retentionDays: days, ...rest } = given;
  if (!isType(type)) {
    report([], `expected an object with the type ${orList(types)}, got the type '${String(type)}'`);
    return undefined;
  }
  const retentionDays = days === undefined ? defaultDays : parseRetention(days, ["retentionDays"], report);
  const { properties, either }: RepositoryRules = repositoryRules[type];
  const known = ["type", "retentionDays", ...Object.keys(properties)];
  for (const name of Object.keys(rest))
    if (!known.includes(name)) report([name], `is not a setting of the type ${type}${suggestion(name, known)}`);
  const values: Record<string, string | number> = {};
  let isComplete = retentionDays !== undefined;
  for (const [name, rule] of Object.entries(properties)) {
    const parsed = parseProperty(rest[name], rule, (message) => report([name], message));
    if (parsed !== undefined) values[name] = rule.isNumber === true ? Number(parsed) : parsed;
    else if (rule.optional !== true || rest[name] !== undefined) isComplete = false;
  }
  const count = either?.filter((name) => rest[name] !== undefined).length ?? 1;
  if (count !== 1) report([], `expected either ${either?.join(" or ")}, got ${count === 0 ? "none" : "both"}`);
  return isComplete && count === 1 ? ({ type, retentionDays, ...values } as Repository) : undefined;
}

function isType(type: unknown): type is Repository["type"] {
  return types.some((each) => each === type);
}

function parseProperty(value: unknown, rule: PropertyRule, report: (message: string) => void): string | undefined {
  if (value === undefined) {
    if (rule.default === undefined && rule.optional !== true) report(`is missing; expected ${rule.expected}`);
    return rule.default;
  }
  const text = rule.isNumber === true && typeof value === "number" ? String(value) : value;
  if (typeof text === "string" && rule.accepts.test(text)) return text;
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  // A fault is one line of the message.
  const got = rule.isSecret === true || shown.includes("\n") ? "" : `, got '${shown}'`;
  report(`expected ${rule.expected}${got}`);
  return undefined;
}

/** Returns the setting of a repository's first secret, for a command that encrypts it. */
export function secretName(repository: Repository): string | undefined {
  const { properties }: RepositoryRules = repositoryRules[repository.type];
  const names = Object.keys(properties).filter((name) => properties[name]?.isSecret === true);
  return names.find((name) => Object.hasOwn(repository, name));
}

function orList(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
