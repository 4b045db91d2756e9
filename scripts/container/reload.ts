import type Docker from "dockerode";
import { OperationError } from "../errors/operation-error.ts";
import { queryInContainer } from "./query.ts";

interface FileFault {
  place: string;
  error: string;
}

/**
 * Has a running server read its files again.
 *
 * @returns names of settings that wait for a restart
 * @throws OperationError with what it could not read: it goes on with what it had
 */
export async function reloadServer(docker: Docker, container: string): Promise<string[]> {
  const faults = await queryInContainer<FileFault>(
    docker,
    container,
    `select format('%s:%s', sourcefile, sourceline) as place, error from pg_file_settings
      where error is not null and error <> 'setting could not be applied'
     union all
     select format('%s:%s', file_name, line_number), error from pg_hba_file_rules where error is not null
     union all
     select format('%s:%s', file_name, line_number), error from pg_ident_file_mappings where error is not null`,
  );
  if (faults.length > 0) {
    const lines = faults.map(({ place, error }) => `- ${place}: ${error}`);
    throw new OperationError(
      ["The server cannot read its new files, and goes on with the old ones:", ...lines].join("\n"),
    );
  }
  await queryInContainer(docker, container, "select pg_reload_conf()");
  // The postmaster reads them when it gets to it; a session tells once it has.
  const waiting = await queryInContainer<{ name: string }>(
    docker,
    container,
    "select name from pg_settings, pg_sleep(0.2) where pending_restart order by name",
  );
  return waiting.map(({ name }) => name);
}
