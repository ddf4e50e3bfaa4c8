import { describe, expect, it } from "vitest";
import { grouped } from "./Bill";
import { address, type BillLine, day, rate } from "./documents";
import { sections, spoken } from "./prices";
import { rowsOf } from "./Settled";

describe("an invoice on paper", () => {
  it("says rates, days and addresses as people do", () => {
    expect([rate(1900), rate(2550), rate(0), rate(undefined), rate(1000)]).toEqual([
      "19 %",
      "25.5 %",
      "0 %",
      "0 %",
      "10 %",
    ]);
    expect([day("2026-11-03"), day("soon")]).toEqual(["3 November 2026", "soon"]);
    const party = { legalName: "Käse AG", street: "Gasse 1", city: "Zürich", country: "CH" };
    expect(address(party)).toEqual(["Käse AG", "Gasse 1", "Zürich", "Switzerland"]);
  });

  it("tells payments and credit notes as they came", () => {
    const rows = rowsOf({
      items: [{ amount: "1", receivedOn: "2026-11-20", reference: "wire" }],
      creditNotes: [
        { number: "C2026-000001", issuedOn: "2026-11-10", gross: "2.00", reason: "an outage" },
      ],
    });
    expect(rows.map((row) => [row.day, row.note, row.words])).toEqual([
      ["2026-11-10", "C2026-000001", "an outage"],
      ["2026-11-20", undefined, "wire"],
    ]);
  });
});

const line = (more: Partial<BillLine>): BillLine => ({
  lease: "x",
  workspace: "lab",
  product: "run",
  resource: "r",
  meter: "cpu-hour",
  sku: "",
  quantity: "1.5",
  unit: "core-hour",
  unitPrice: "0.012",
  start: "",
  end: "",
  exact: "0.018",
  amount: "0.02",
  ...more,
});

describe("a month's bill", () => {
  it("is summed up by what was sold at one price in a workspace", () => {
    const groups = grouped([
      line({}),
      line({ lease: "y", amount: "0.01" }),
      line({ unitPrice: "0.009" }),
      line({ workspace: "web" }),
    ]);
    expect(groups.map((one) => [one.first.workspace, one.first.unitPrice, one.amount])).toEqual([
      ["lab", "0.009", 20_000_000n],
      ["lab", "0.012", 30_000_000n],
      ["web", "0.012", 20_000_000n],
    ]);
    expect(groups[1]?.quantity).toBe(3_000_000_000n);
  });
});

describe("a price list", () => {
  it("can be read aloud", () => {
    const said = (meter: string, unit: string, sku = "") => {
      const { what, per } = spoken({ meter, unit, sku, price: "1" });
      return `${what} ${per}`.trim();
    };
    expect(said("cpu-hour", "core-hour")).toBe("A CPU core an hour");
    expect(said("gpu-hour", "GPU-hour", "H100")).toBe("A GPU, H100 an hour");
    expect(said("storage-gib-month", "GiB-month")).toBe("A GiB of storage a month of 30 days");
    expect(said("egress-gib", "GiB")).toBe("A GiB sent out");
    expect(said("gateway-request-million", "million")).toBe("Gateway requests a million");
    expect(said("qubit-hour", "qubit-hour")).toBe("Qubit an hour");
  });

  it("has a table for each place with prices of its own", () => {
    const price = { meter: "cpu-hour", unit: "core-hour", price: "0.01" };
    const gpu = { ...price, meter: "gpu-hour", sku: "H100" };
    const found = sections([price, gpu, { ...price, site: "basement" }]);
    expect(found.map((one) => one.title)).toEqual([
      "Cores, memory, storage, traffic",
      "GPUs",
      "Cores, memory, storage, traffic, in basement",
    ]);
  });
});
