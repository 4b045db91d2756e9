import { type PropertySpecs, type ResourceDefinition, secret, text, texts, whole } from "./property.ts";

const term: PropertySpecs = {
  validityDays: whole("Validity of the certificate, in days."),
  renewBeforeDays: whole("Days before expiry when the certificate is renewed."),
};
const certified: PropertySpecs = {
  certificate: text("Certificate, PEM."),
  privateKey: secret("Private key, PEM, PKCS#8."),
  notAfter: text("Time of expiry, in ISO 8601."),
};

/** Resources for certificates. */
export const certificates = {
  CertificateAuthority: {
    load: async () => (await import("../resources/certificates/certificate-authority.ts")).certificateAuthority,
    description: "A stack's own CA, renewed before it expires.",
    inputs: {
      commonName: text("Common name. A change creates another CA."),
      keeper: text("Rotation trigger. A change creates another CA with another key."),
      ...term,
    },
    required: ["commonName", "validityDays", "renewBeforeDays"],
    outputs: {
      ...certified,
      trustBundle: text("CA certificates that clients trust, PEM: this one and earlier ones that are still valid."),
    },
  },
  ServerCertificate: {
    load: async () => (await import("../resources/certificates/server-certificate.ts")).serverCertificate,
    description: "A server's certificate, renewed before it expires.",
    inputs: {
      authorityCertificate: text("Certificate of the CA, PEM."),
      authorityKey: secret("Private key of the CA, PEM."),
      hosts: texts("DNS names and IP addresses that clients use to reach the server."),
      ...term,
    },
    required: ["authorityCertificate", "authorityKey", "hosts", "validityDays", "renewBeforeDays"],
    outputs: { ...certified, fingerprint: text("SHA-256 fingerprint, as OpenSSL prints it.") },
  },
} satisfies Record<string, ResourceDefinition>;
