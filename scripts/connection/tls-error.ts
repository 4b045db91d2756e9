import type { PeerCertificate } from "node:tls";

/** Reason of a failed TLS connection, and a hint. */
export interface TlsExplanation {
  reason: string;
  hint: string;
}

/**
 * Explains an error of Node or OpenSSL about a server's certificate or about TLS itself. Undefined for other errors.
 */
export function explainTls(host: string, error: unknown): TlsExplanation | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  const { code, message } = error;
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "CERT_SIGNATURE_FAILURE":
      return {
        reason: `the server's certificate is signed by a CA that is not trusted here (${code})`,
        hint: "Set sslrootcert to the CA certificate (for a stack, the URL from `npm run -s pgw -- url` contains the file).",
      };
    case "CERT_HAS_EXPIRED":
      return {
        reason: "the server's certificate or its CA certificate has expired",
        hint: "Renew it (for a stack: npm run up), and check this machine's clock.",
      };
    case "CERT_NOT_YET_VALID":
      return {
        reason: "the server's certificate is not valid yet",
        hint: "Compare this machine's clock with that of the machine that created the certificate.",
      };
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        reason: `the server's certificate is not for "${host}" but for ${namesOf(error)}`,
        hint: "Connect with a name in the certificate, or create a certificate for this name (for a stack: the setting pgroundwork:host).",
      };
    case "INVALID_PURPOSE":
      return {
        reason: "the server's certificate is not valid for servers",
        hint: "Use a certificate with the extended key usage serverAuth.",
      };
  }
  if (code !== "EPROTO" && !/^ERR_(SSL|OSSL)_/.test(code)) return undefined;
  return {
    reason: `TLS with the server failed (${message})`,
    hint: "Check the server's log, and compare the TLS versions that both sides allow (ssl_min_protocol_version).",
  };
}

/** Returns the names in a certificate that was refused because of its names. */
function namesOf(error: Error & { cert?: Partial<PeerCertificate> }): string {
  const { subjectaltname, subject } = error.cert ?? {};
  const names = subjectaltname?.replaceAll(/(DNS|IP Address):/g, "") ?? subject?.CN;
  return names === undefined || names === "" ? "no name at all" : String(names);
}
