/** What an invoice's document says; amounts are decimal strings of whole coins. */

export interface PartyRecord {
  legalName: string;
  street: string;
  extraLine?: string;
  postalCode?: string;
  city: string;
  country: string;
  vatNumber?: string;
  registration?: string;
  email?: string;
}

export interface SellerRecord extends PartyRecord {
  phone?: string;
  taxNumber?: string;
  iban?: string;
  bic?: string;
  bank?: string;
  footer?: string;
}

export interface CustomerRecord extends PartyRecord {
  buyerReference?: string;
}

export interface IssuedLine {
  name: string;
  description: string;
  quantity: string;
  unit: string;
  unitPrice: string;
  start: string;
  end: string;
  listed: string;
  allowance?: string;
  allowanceReason?: string;
  amount: string;
}

export interface IssuedDocument {
  number: string;
  type: "invoice" | "credit-note";
  tenant: string;
  period: string;
  start: string;
  end: string;
  issuedOn: string;
  dueOn: string;
  currency: string;
  seller: SellerRecord;
  customer: CustomerRecord;
  lines: IssuedLine[];
  allowances?: { reason: string; amount: string }[];
  tax: {
    treatment: { category: string; rate?: number; reason?: string };
    net: string;
    tax: string;
  };
  linesTotal: string;
  net: string;
  vat: string;
  gross: string;
  prepaid: string;
  payable: string;
  corrects?: string;
  correctsIssuedOn?: string;
  reason?: string;
}

export interface BillLine {
  lease: string;
  workspace: string;
  product: string;
  resource: string;
  meter: string;
  sku: string;
  quantity: string;
  unit: string;
  unitPrice: string;
  start: string;
  end: string;
  exact: string;
  amount: string;
  notCharged?: string;
  adjusts?: string;
}

export interface BillDocument {
  number: string;
  state: "draft" | "closed";
  tenant: string;
  period: string;
  currency: string;
  asOf: string;
  lines: BillLine[];
  total: string;
  exact: string;
}

export interface Payments {
  items: { amount: string; receivedOn: string; reference: string }[];
  creditNotes: { number: string; issuedOn: string; gross: string; reason: string }[];
}

/** A rate in hundredths of a percent, as it is said: 1900 is "19 %", 2550 is "25.5 %". */
export function rate(hundredths: number | undefined): string {
  const text = ((hundredths ?? 0) / 100).toFixed(2).replace(/\.?0+$/, "");
  return `${text || "0"} %`;
}

/** A party's address, line by line. */
export function address(party: PartyRecord): string[] {
  const place = [party.postalCode, party.city].filter(Boolean).join(" ");
  return [
    party.legalName,
    party.street,
    party.extraLine ?? "",
    place,
    country(party.country),
  ].filter((line) => line !== "");
}

function country(code: string): string {
  try {
    return new Intl.DisplayNames(["en"], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** A day as it stands on paper: "3 November 2026". */
export function day(text: string): string {
  const found = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(found.getTime())) return text;
  return found.toLocaleDateString("en-GB", { dateStyle: "long", timeZone: "UTC" });
}
