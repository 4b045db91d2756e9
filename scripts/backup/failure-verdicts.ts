/** Says what a failure of pgBackRest is about. `other` says nothing about the backup. */
export type FailureVerdict = "other" | "damaged" | "passphrase" | "unusable";

/**
 * Tells failures of a backup from those of the machine. The image's restore-drill has the same table, and a test
 * compares them. An expression means the same in JavaScript and Python.
 */
export const failureTable: FailureTable = {
  // pgBackRest's exit code (null: any) and what its output contains. The first match wins. The codes are those of its
  // error.yaml.
  pgbackrest: [
    ["other", null, "No space left on device|Disk quota exceeded|Cannot allocate memory|Too many open files"],
    ["other", 50, ""],
    ["other", 56, ""],
    ["other", 57, ""],
    // Remote repositories, and the connections to them.
    ["other", null, "unable to verify certificate|no names in server certificate|[Cc]ertificate verify"],
    ["other", null, "\\b403\\b.*Forbidden|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|AuthenticationFailed"],
    ["other", null, "Authorization(?:Failure|PermissionMismatch)|invalid_grant|NoSuchBucket|ContainerNotFound"],
    ["other", null, "The specified (?:bucket|container) does not exist|HostConnectError|libssh2|sftp error"],
    ["other", null, "known hosts failure:|repo-sftp-host-fingerprint|public key authentication failed"],
    ["other", null, "unable to (?:connect to|get address for) '[^']+'"],
    ["other", 49, ""],
    ["other", null, "Permission denied|Read-only file system"],
    // A checksum, a format or the encryption of a file is wrong, for which there are many messages. The processes whose
    // messages begin with "raised from local" read the files of a backup after its manifest was decrypted.
    ["damaged", 26, ""],
    ["passphrase", 29, "unable to load info file"],
    ["damaged", 29, ""],
    ["damaged", 95, "raised from local-"],
    // A list of blocks ends too early. If a connection ends, more is said.
    ["damaged", 42, "raised from local-\\d+ protocol: unexpected eof$"],
    // A file of a backup, whose folder is its label.
    ["damaged", 55, "unable to open missing file '[^']*/\\d{8}-\\d{6}F[^']*'"],
    ["damaged", null, "checksum '[^']*' does not match|error restoring '|\\b(?:zst|lz4|gz|bz2) error: "],
    // A file decrypted with the wrong passphrase is not text. If it was not encrypted, its cipher header is missing.
    ["passphrase", null, "CryptoError|cipher header"],
    ["unusable", 28, ""],
    ["unusable", null, "do not match the database|does not match"],
    ["unusable", null, "(?:archive|backup)\\.info exists but (?:archive|backup)\\.info is missing"],
    ["unusable", 99, "FileMissingError.*archive\\.info"],
    ["unusable", 55, "(?:archive|backup)\\.info"],
    ["unusable", 75, ""],
  ],
  // Messages of a server that cannot start on what was restored, or cannot read it.
  server:
    "could not (?:locate|find) |invalid (?:primary )?checkpoint|WAL ends before|ended before consistent|backup_label|checksum|invalid page|invalid magic number|requested timeline|could not (?:open|read|access) file|unexpected (?:timeline|pageaddr)|incorrect prev-link",
  // Failures of the machine, in any case of letters.
  machine:
    "No space left|Disk quota exceeded|disk is full|is full:|out of memory|Cannot allocate memory|could not (?:map|resize) |exit code 137|did not answer within|Too many open files",
};

/** Kinds of failures, with the code and the texts by which they are known. */
export interface FailureTable {
  pgbackrest: readonly (readonly [verdict: FailureVerdict, code: number | null, text: string])[];
  server: string;
  machine: string;
}

/** Finds what a failure of pgBackRest is about. What is not known says nothing about the backup. */
export function verdictOn(code: number, output: string): FailureVerdict {
  const found = failureTable.pgbackrest.find(
    ([, wanted, text]) => (wanted === null || wanted === code) && new RegExp(text, "m").test(output),
  );
  return found?.[0] ?? "other";
}
