/** Explains failures of pgBackRest with one cause. */
export interface Explanation {
  when: (code: number, text: string) => boolean;
  message: (cause: string) => string;
  hint?: string;
}

/** Codes with which S3, Azure and Google refuse a key. The reason after Azure's 403 is a sentence. */
const refused =
  /\b403\b.*Forbidden|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|AuthenticationFailed|Authorization(?:Failure|PermissionMismatch)|invalid_grant/;

/** Explanations of failures of remote repositories, and of the connections to them. */
export const remoteFailures: readonly Explanation[] = [
  {
    when: (_code, text) => /unable to verify certificate|no names in server certificate|certificate verify/i.test(text),
    message: (cause) => `The certificate of the repository's endpoint is not trusted: ${cause}`,
    hint: "Set caFile of the repository in pgroundwork:backups to the CA certificate of the endpoint. The certificate must have the endpoint's host name.",
  },
  {
    when: (_code, text) => refused.test(text),
    message: (cause) => `The repository's service refuses the key: ${cause}`,
    hint: "Correct the key in pgroundwork:backups (s3: key and keySecret; azure: key or sas; gcs: key). It needs rights to list, read, write and delete objects.",
  },
  {
    when: (_code, text) =>
      /NoSuchBucket|The specified (?:bucket|container) does not exist|ContainerNotFound/.test(text),
    message: () => "The bucket or container does not exist.",
    hint: "Create it, or correct its name and the endpoint in pgroundwork:backups. The kit creates none.",
  },
  {
    when: (_code, text) => /known hosts failure:|configured fingerprint \(repo-sftp-host-fingerprint\)/.test(text),
    message: (cause) => `The host key of the SFTP server is not the expected one: ${inOpenSshForm(cause)}`,
    hint: "If the key is the server's own, set hostFingerprint to its fingerprint, or knownHosts to all keys that ssh-keyscan prints, in pgroundwork:backups. Otherwise another machine answers at this address.",
  },
  {
    when: (_code, text) => /public key authentication failed/.test(text),
    message: (cause) => `The SFTP server refuses the private key: ${cause}`,
    hint: "Add its public key to authorized_keys of the account, or correct user, privateKey and privateKeyPassphrase in pgroundwork:backups. The server's log has the reason.",
  },
  {
    when: (_code, text) => /sftp error \[(?:3|12)\]/.test(text),
    message: (cause) => `The folder of the backup repository cannot be written: ${cause}`,
    hint: "Let the account of the SFTP server write in the folder `path`, or set another one in pgroundwork:backups.",
  },
  {
    // Most servers report a full disk as a failure without a reason.
    when: (code, text) => /sftp error \[1[45]\]/.test(text) || (code === 64 && /sftp error \[4\]/.test(text)),
    message: (cause) => `The SFTP server did not store a file, probably because its disk is full: ${cause}`,
    hint: "Free space there, or keep backups for fewer days (pgroundwork:backups). The server keeps the WAL and archives it afterwards.",
  },
  {
    when: (code, text) =>
      (code === 49 && !/socket/i.test(text)) ||
      /unable to (?:connect to|get address for) '[^']+'|HostConnectError/.test(text) ||
      /libssh2 handshake|timeout during (?:public key auth|init of libssh2)|unable to init libssh2_sftp/.test(text),
    message: (cause) => `The backup repository does not answer: ${cause}`,
    hint: "The server keeps its WAL and archives it when the repository answers again. Check endpoint or host, name resolution and network.",
  },
];

/** Converts fingerprints from pgBackRest's form into OpenSSH's: SHA256: and base64. */
function inOpenSshForm(cause: string): string {
  const toBase64 = (hex: string) => `SHA256:${Buffer.from(hex, "hex").toString("base64").replace(/=+$/, "")}`;
  return cause.replaceAll(/\b[0-9a-f]{64}\b/g, toBase64);
}
