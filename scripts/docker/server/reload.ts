import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { queryInContainer } from "./query.ts";

interface FileFault {
  place: string;
  error: string;
}

/**
 * Reports the errors in the configuration files of a server. Two of PostgreSQL's messages in pg_file_settings are no
 * errors in the files: the value of a setting that applies at the next start is "not applied" when it changes, and
 * "cannot be changed" when its line is removed. PostgreSQL translates neither (`ProcessConfigFileInternal` in
 * src/backend/utils/misc/guc.c of version 17).
 */
const fileFaults = `select format('%s:%s', sourcefile, sourceline) as place, error from pg_file_settings
      where error is not null and error <> 'setting could not be applied'
        and error not like 'parameter "%" cannot be changed without restarting the server'
     union all
     select format('%s:%s', file_name, line_number), error from pg_hba_file_rules where error is not null
     union all
     select format('%s:%s', file_name, line_number), error from pg_ident_file_mappings where error is not null`;

/**
 * Makes a running server read its configuration files again.
 *
 * @returns names of settings that need a restart
 * @throws OperationError with the errors in the files; the server keeps its old settings
 */
export async function reloadServer(docker: Docker, container: string): Promise<string[]> {
  const faults = await queryInContainer<FileFault>(docker, container, fileFaults);
  if (faults.length > 0) {
    const lines = faults.map(({ place, error }) => `- ${place}: ${error}`);
    throw new OperationError(
      ["The server cannot read its new files and continues with the old ones:", ...lines].join("\n"),
    );
  }
  await queryInContainer(docker, container, "select pg_reload_conf()");
  // The postmaster reads the files a little later. A session sees it when it has happened.
  const waiting = await queryInContainer<{ name: string }>(
    docker,
    container,
    "select name from pg_settings, pg_sleep(0.2) where pending_restart order by name",
  );
  return waiting.map(({ name }) => name);
}
