/** What fields are called, and what is said below them: from their names and descriptions. */

import type { Unit } from "./units";

const LABELS: Readonly<Record<string, string>> = {
  millicores: "CPU cores",
  gpus: "GPUs",
  gpuModel: "GPU model",
  gpuMemory: "GPU memory",
  env: "Environment variables",
  secretEnv: "Secret environment variables",
  secrets: "Values of secrets",
  imageSecret: "Secret for the registry",
  count: "Copies",
  network: "Reach the outside",
  readOnly: "Read only",
  url: "URL",
  ttlSeconds: "Works for",
  timeLimit: "Time limit",
  tcpPort: "TCP port",
  subs: "Who",
  vatNumber: "VAT number",
  vatRates: "VAT rates",
  iban: "IBAN",
  bic: "BIC",
  sku: "SKU",
  requirements: "Python packages",
  inputs: "Files taken along",
  artifacts: "Files to keep",
  idle: "Sleep when idle",
  drain: "Time to finish requests",
  grace: "Time to stop",
  patience: "Wait for a silent host",
  progress: "Time for a change",
  surge: "Extra while changing",
  clientId: "Client ID",
  cron: "When",
  from: "Copy of a snapshot",
};

/** `gpuMemory` is GPU memory, `displayName` Display name. */
export function labelOf(name: string): string {
  const known = LABELS[name];
  if (known !== undefined) return known;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[-_]/g, " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * A description as a person needs it who writes `2 GiB` and `0.5`: what it says of the API's own
 * unit would be wrong in the form.
 */
export function helpOf(description: string, unit: Unit, label = ""): string {
  const said = inUnit(description, unit);
  // What the label says already helps nobody.
  return said.toLowerCase() === label.toLowerCase() ? "" : said;
}

function inUnit(description: string, unit: Unit): string {
  const first = (description.split("\n\n")[0] ?? "").replace(/\s+/g, " ").trim();
  const said = first.replace(/\.$/, "");
  switch (unit) {
    case "bytes":
      return said === "Bytes"
        ? ""
        : said
            .replace(/^Bytes on\b/, "On")
            .replace(/,? in bytes\b/g, "")
            .replace(/ bytes of\b/, " of");
    case "seconds":
      return said.replace(/^Seconds\b/, "Time");
    case "millicores":
      return /^thousandths of a core$/i.test(said)
        ? ""
        : said
            .replace(/,? in thousandths of a core\b/, "")
            .replace(/^CPU of\b/, "Of")
            .replace(/^CPU$/, "");
    default:
      return said;
  }
}
