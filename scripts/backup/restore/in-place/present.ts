import type Docker from "dockerode";
import { executeInContainer, queryInContainer } from "../../../docker/server/query.ts";
import { isRunning } from "../../../docker/server/running.ts";
import { pgBackRest } from "../../pgbackrest.ts";
import type { StackBackups } from "../../stack-backups.ts";
import type { InPlaceRequest, Sessions } from "./in-place-request.ts";

/*
 * The live cluster just before it is exchanged.
 */

/** Lists the sessions of clients. There are none if the server does not run. */
export async function readSessions(docker: Docker, { server }: StackBackups): Promise<Sessions> {
  if (!(await isRunning(docker, server))) return [];
  return queryInContainer(
    docker,
    server,
    `select coalesce(nullif(application_name, ''), 'unnamed') as application, usename as user, datname as database
       from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() order by 1, 2, 3`,
  );
}

/** Creates a restore point at the end of the present, and archives it. null: the server does not run. */
export async function markPresent(
  docker: Docker,
  { server, container }: StackBackups,
  name: string,
  { onStep, onNote }: InPlaceRequest,
): Promise<string | null> {
  if (!(await isRunning(docker, server))) {
    onNote("The server does not run, so its present has no restore point. Its cluster is kept.");
    return null;
  }
  onStep("archiving the present");
  await executeInContainer(docker, server, `select pg_create_restore_point('${name}')`);
  await pgBackRest(docker, container, ["check"]);
  return name;
}
