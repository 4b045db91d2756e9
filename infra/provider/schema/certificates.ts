import type { ResourceName } from "../token.ts";
import { type PropertySpecs, type ResourceSpec, secret, text, texts, whole } from "./property.ts";

const term: PropertySpecs = {
  validityDays: whole("How long it lasts, in days."),
  renewBeforeDays: whole("How long before its end the next is made, in days."),
};
const certified: PropertySpecs = {
  certificate: text("PEM."),
  privateKey: secret("PEM, PKCS#8."),
  notAfter: text("When it ends, in ISO 8601."),
};

/** What clients trust a server by. */
export const certificates = {
  CertificateAuthority: {
    description: "A stack's own certificate authority, renewed in time.",
    inputs: {
      commonName: text("What it is called. Another name makes another authority."),
      keeper: text("Another authority is made, with another key, when it changes."),
      ...term,
    },
    required: ["commonName", "validityDays", "renewBeforeDays"],
    outputs: { ...certified, trustBundle: text("What clients trust, PEM: those before it that last included.") },
  },
  ServerCertificate: {
    description: "A server's certificate, renewed in time.",
    inputs: {
      authorityCertificate: text("The authority's certificate, PEM."),
      authorityKey: secret("Its private key, PEM."),
      hosts: texts("DNS names and IP addresses by which clients reach the server."),
      ...term,
    },
    required: ["authorityCertificate", "authorityKey", "hosts", "validityDays", "renewBeforeDays"],
    outputs: { ...certified, fingerprint: text("SHA-256, as OpenSSL prints it.") },
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;
