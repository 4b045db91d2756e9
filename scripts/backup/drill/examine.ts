import type Docker from "dockerode";
import pg from "pg";
import type { FileSource } from "../../core/file-source.ts";
import { executeInContainer, queryInContainer, SocketError } from "../../docker/server/query.ts";
import { type IntegrityFinding, indexDamage } from "../../validate/subject.ts";
import { type Validation, validate } from "../../validate/validate.ts";
import { withRestoredServer } from "../restore/restored-server.ts";

/** Options of {@link examineDatabases}. */
export interface ExamineOptions {
  /** Returns the folder with the check files of a database; undefined if it has none. */
  checksOf: (database: string) => Promise<FileSource | undefined>;
  /** Time limit of each query in ms. */
  statementTimeoutMs: number;
  signal: AbortSignal;
}

/** Subjects that a drill examines: the data itself, and not what the live server would show, too. */
const subjects = ["rows", "amcheck", "checksums", "checks"];

/** Schema of the extension, which is not in the backup. */
const extension = "create schema pgroundwork_drill; create extension if not exists amcheck schema pgroundwork_drill";

/** All databases but template0, and invalid ones, which the reading of rows reports. */
const databases = `select datname as database, datallowconn as accepts from pg_database
  where datname <> 'template0' and datconnlimit <> -2 order by 1`;

/**
 * Examines all databases of a restored server that nothing else uses: amcheck on all heaps and b-trees, every table,
 * and the check files. The server is changed: amcheck is installed.
 *
 * @param container ID of a container without a network
 */
export async function examineDatabases(
  docker: Docker,
  container: string,
  { checksOf, statementTimeoutMs, signal }: ExamineOptions,
): Promise<Validation[]> {
  return withRestoredServer(docker, container, async (login) => {
    const validations: Validation[] = [];
    for (const { database, accepts } of await queryInContainer<Listed>(docker, container, databases)) {
      signal.throwIfAborted();
      const name = pg.escapeIdentifier(database);
      if (!accepts) await executeInContainer(docker, container, `alter database ${name} allow_connections true`);
      const fault = await installAmcheck(docker, container, database);
      const folder = await checksOf(database);
      const connection = { ...login, database };
      const validation = await validate({ connection, folder, only: subjects, statementTimeoutMs, signal });
      const judged = (await hasOtherCollations(docker, container, database))
        ? withoutIndexOrder(validation)
        : validation;
      validations.push(fault === undefined ? judged : withReason(judged, fault));
    }
    return validations;
  });
}

interface Listed {
  database: string;
  accepts: boolean;
}

/** Installs amcheck. Returns the reason if that is not possible. */
async function installAmcheck(docker: Docker, container: string, database: string): Promise<string | undefined> {
  try {
    await executeInContainer(docker, container, extension, database);
    return undefined;
  } catch (error) {
    if (error instanceof SocketError) return error.message;
    throw error;
  }
}

function withReason(validation: Validation, reason: string): Validation {
  const explained = validation.subjects.map((subject) =>
    subject.name === "amcheck" && subject.state === "not available" ? { ...subject, note: reason } : subject,
  );
  return { ...validation, subjects: explained };
}

/** Collations that sorted the indexes of the backup and have another version in this image. */
const otherCollations = `select exists (
    select from pg_database where datname = current_database() and datcollversion <> pg_database_collation_actual_version(oid)
    union all select from pg_collation where collversion <> pg_collation_actual_version(oid)) as found`;

async function hasOtherCollations(docker: Docker, container: string, database: string): Promise<boolean> {
  const [answer] = await queryInContainer<{ found: boolean }>(docker, container, otherCollations, database);
  return answer?.found === true;
}

/**
 * Turns damaged indexes into unknown ones: with another version of a collation, a sound index has the wrong order. The
 * backup is not the reason.
 */
export function withoutIndexOrder(validation: Validation): Validation {
  const isOrder = ({ title }: IntegrityFinding) => title === indexDamage;
  const reasons = validation.findings
    .filter(isOrder)
    .map(({ detail }) => `${detail}; not judged, because the collations of this image have another version`);
  const subjects = validation.subjects.map((subject) =>
    subject.name === "amcheck" ? { ...subject, unknown: [...subject.unknown, ...reasons] } : subject,
  );
  return { ...validation, subjects, findings: validation.findings.filter((each) => !isOrder(each)) };
}
