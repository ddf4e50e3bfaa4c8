/** An issued invoice or credit note, as on paper. */
import { Table } from "@mantine/core";
import { printed } from "./amounts";
import { address, day, type IssuedDocument, rate } from "./documents";
import classes from "./Paper.module.css";

export function Paper({ made }: { made: IssuedDocument }) {
  const { seller, customer, currency } = made;
  const note = made.type === "credit-note";
  return (
    <article
      className={classes.paper}
      aria-label={`${note ? "Credit note" : "Invoice"} ${made.number}`}
    >
      <div className={classes.top}>
        <div>
          <p className={classes.sender}>{address(seller).join(" · ")}</p>
          <address>
            {address(customer).map((line) => (
              <div key={line}>{line}</div>
            ))}
            {customer.vatNumber ? <div>VAT number {customer.vatNumber}</div> : null}
          </address>
        </div>
        <dl className={classes.facts}>
          {facts(made).map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </div>
      <h2>
        {note ? "Credit note" : "Invoice"} {made.number}
      </h2>
      {note ? (
        <p>
          For invoice {made.corrects} of {day(made.correctsIssuedOn ?? "")}: {made.reason}
        </p>
      ) : null}
      <Lines made={made} />
      <Sums made={made} />
      <p className={classes.words}>{terms(made)}</p>
      <footer className={classes.foot}>
        <div>
          {seller.legalName}
          {seller.registration ? <div>{seller.registration}</div> : null}
          {seller.vatNumber ? <div>VAT number {seller.vatNumber}</div> : null}
          {seller.taxNumber ? <div>Tax number {seller.taxNumber}</div> : null}
        </div>
        <div>
          {seller.email ? <div>{seller.email}</div> : null}
          {seller.phone ? <div>{seller.phone}</div> : null}
        </div>
        <div>
          {seller.bank ? <div>{seller.bank}</div> : null}
          {seller.iban ? <div>IBAN {seller.iban}</div> : null}
          {seller.bic ? <div>BIC {seller.bic}</div> : null}
        </div>
        {seller.footer ? <div>{seller.footer}</div> : null}
      </footer>
      <span className={classes.currency}>All amounts are in {currency}.</span>
    </article>
  );
}

function facts(made: IssuedDocument): [string, string][] {
  const reference = made.customer.buyerReference;
  return [
    ["Number", made.number],
    ["Date", day(made.issuedOn)],
    ["For", `${day(made.start)} to ${day(made.end)}`],
    ...(made.type === "invoice"
      ? ([["To be paid by", day(made.dueOn)]] as [string, string][])
      : []),
    ...(reference ? ([["Your reference", reference]] as [string, string][]) : []),
    ["Customer", made.tenant],
  ];
}

function Lines({ made }: { made: IssuedDocument }) {
  return (
    <Table.ScrollContainer minWidth={280} type="native" tabIndex={0} className={classes.scroll}>
      <Table className={classes.lines}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th ta="right">Quantity</Table.Th>
            <Table.Th ta="right">Price</Table.Th>
            <Table.Th ta="right">{made.currency}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {made.lines.map((line) => (
            <Table.Tr key={`${line.name} ${line.description} ${line.unitPrice} ${line.start}`}>
              <Table.Td>
                <div>{line.name}</div>
                <div className={classes.small}>{line.description}</div>
                {line.allowanceReason ? (
                  <div className={classes.small}>
                    {line.allowanceReason}: −{printed(line.allowance ?? "")} of{" "}
                    {printed(line.listed)}
                  </div>
                ) : null}
              </Table.Td>
              <Table.Td ta="right">
                {printed(line.quantity)}
                <div className={classes.small}>{line.unit}</div>
              </Table.Td>
              <Table.Td ta="right">{printed(line.unitPrice)}</Table.Td>
              <Table.Td ta="right">{printed(line.amount)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Sums({ made }: { made: IssuedDocument }) {
  const note = made.type === "credit-note";
  const prepaid = Number(made.prepaid) > 0;
  const rows: [string, string, boolean?][] = [
    ...(made.allowances?.length
      ? ([["Sum of the lines", made.linesTotal]] as [string, string][])
      : []),
    ...(made.allowances ?? []).map((one): [string, string] => [one.reason, `-${one.amount}`]),
    ["Net", made.net],
    [`VAT ${rate(made.tax.treatment.rate)}`, made.vat],
    [note ? "Credited" : "Total", made.gross, !prepaid],
    ...(prepaid
      ? ([
          ["Paid from credit", `-${made.prepaid}`],
          ["To be paid", made.payable, true],
        ] as [string, string, boolean?][])
      : []),
  ];
  return (
    <dl className={classes.sums}>
      {rows.map(([label, value, strong]) => (
        <div key={label} className={strong ? classes.strong : undefined}>
          <dt>{label}</dt>
          <dd>
            {printed(value)} {made.currency}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function terms(made: IssuedDocument): string {
  const why = made.tax.treatment.reason ? `${made.tax.treatment.reason}. ` : "";
  if (made.type === "credit-note") return `${why}This amount is credited to you.`;
  if (Number(made.payable) <= 0) return `${why}Nothing is to be paid: your credit covers it.`;
  const { iban } = made.seller;
  const how = iban ? ` to ${iban}` : "";
  return (
    `${why}Please pay ${printed(made.payable)} ${made.currency} by ${day(made.dueOn)}${how}, ` +
    `with the number ${made.number}.`
  );
}
