import type { PeerCertificate } from "node:tls";

/** Why TLS with a server did not come about, and what to do. */
export interface TlsExplanation {
  reason: string;
  remedy: string;
}

/** What Node and OpenSSL say of a server's certificate, or of TLS itself, for people; undefined: the error is about something else. */
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
        reason: `the server's certificate is of no authority that is trusted here (${code})`,
        remedy:
          "Give the authority that signed it as sslrootcert (a stack: the URL of `npm run -s pgw -- url` names the file).",
      };
    case "CERT_HAS_EXPIRED":
      return {
        reason: "the server's certificate, or its authority's, has expired",
        remedy: "Have it renewed (a stack: npm run up), and compare this machine's clock.",
      };
    case "CERT_NOT_YET_VALID":
      return {
        reason: "the server's certificate is not valid yet",
        remedy: "Compare this machine's clock with the one where the certificate was made.",
      };
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        reason: `the server's certificate is not for "${host}" but for ${namesOf(error)}`,
        remedy:
          "Connect by a name that it holds, or have one made for this name (a stack: the setting pgroundwork:host).",
      };
    case "INVALID_PURPOSE":
      return {
        reason: "the server's certificate is not one for servers",
        remedy: "Give the server one with the extended key usage serverAuth.",
      };
  }
  if (code !== "EPROTO" && !/^ERR_(SSL|OSSL)_/.test(code)) return undefined;
  return {
    reason: `TLS with the server failed (${message})`,
    remedy: "Read the server's log, and compare the TLS versions that both sides allow (ssl_min_protocol_version).",
  };
}

/** What a certificate that was refused for its names is made out to. */
function namesOf(error: Error & { cert?: Partial<PeerCertificate> }): string {
  const { subjectaltname, subject } = error.cert ?? {};
  const names = subjectaltname?.replaceAll(/(DNS|IP Address):/g, "") ?? subject?.CN;
  return names === undefined || names === "" ? "no name at all" : String(names);
}
