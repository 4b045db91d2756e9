import type { Client } from "pg";
import { tableAccess } from "../ledger/kit-schema.ts";
import type { Provenance } from "../ledger/provenance.ts";
import type { SeedFile } from "./seed-file.ts";

/** The last run of one seed file. */
export interface SeedRecord {
  set: string;
  filename: string;
  /** SHA-256 of the file when it ran, in hex. */
  sha256: string;
  appliedAt: Date;
  durationMs: number;
  appliedBy: string;
}

/** A database's record of seeds. An absent table is an empty record; a missing privilege is not. */
export type SeedLedgerAnswer = { known: true; records: SeedRecord[] } | { known: false; reason: string };

/** Reads the record of seeds. Issues no DDL. */
export async function readSeedLedger(client: Client): Promise<SeedLedgerAnswer> {
  switch (await tableAccess(client, "pgroundwork", "seed_ledger")) {
    case "absent":
      return { known: true, records: [] };
    case "denied":
      return { known: false, reason: `permission denied: user "${client.user}" may not read pgroundwork.seed_ledger` };
    case "readable": {
      const { rows } = await client.query<SeedRecord>(
        `select seed_set as "set", filename, sha256, applied_at as "appliedAt", duration_ms as "durationMs", applied_by as "appliedBy"
           from pgroundwork.seed_ledger
          order by seed_set, filename`,
      );
      return { known: true, records: rows };
    }
  }
}

/** Records a file, inside the transaction that it ran in. */
export async function recordSeed(
  client: Client,
  file: SeedFile,
  { host, kitVersion, runId }: Provenance,
): Promise<void> {
  await client.query(
    `insert into pgroundwork.seed_ledger (seed_set, filename, sha256, applied_at, duration_ms, host, kit_version, run_id)
     values ($1, $2, $3, now(), extract(epoch from clock_timestamp() - now()) * 1000, $4, $5, $6::uuid)
     on conflict (seed_set, filename) do update
       set sha256 = excluded.sha256, applied_at = excluded.applied_at, duration_ms = excluded.duration_ms,
           applied_by = excluded.applied_by, host = excluded.host, kit_version = excluded.kit_version, run_id = excluded.run_id`,
    [file.set, file.filename, file.sha256, host, kitVersion, runId],
  );
}
