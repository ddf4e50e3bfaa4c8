/** One invoice: as it was sent, what became of it, and its files. Prints as the invoice alone. */
import { Alert, Anchor, Button, Group, Menu, Stack, Text } from "@mantine/core";
import { Link, useParams } from "react-router";
import { useCatalogue } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { pathOf, useResource, useView } from "~/api/queries";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { download } from "~/parts/saving";
import { useAddress, useScope } from "~/shell/scope";
import { Actions } from "../resources/Actions";
import { Bill } from "./Bill";
import type { BillDocument, IssuedDocument } from "./documents";
import { type Invoice, TYPES } from "./InvoicesPage";
import { Paper } from "./Paper";
import { Settled } from "./Settled";

export default function InvoicePage() {
  const { name = "" } = useParams();
  const kind = useCatalogue().kind("invoice");
  const found = useResource<Invoice>(kind, useScope(), [name]);
  const { page } = useAddress();
  if (found.isError && !found.data) {
    const gone = asProblem(found.error).status === 404;
    return (
      <Stack>
        <PageHead title={gone ? `There is no invoice ${name}` : "Invoice"} />
        <ProblemAlert error={found.error} retry={gone ? undefined : () => void found.refetch()} />
        <Anchor component={Link} to={page("billing/invoices")}>
          All invoices
        </Anchor>
      </Stack>
    );
  }
  return found.data ? <Shown invoice={found.data} /> : <PageSkeleton />;
}

function Shown({ invoice }: { invoice: Invoice }) {
  const kind = useCatalogue().kind("invoice");
  const { page } = useAddress();
  const { metadata, status } = invoice;
  const { name, ref } = metadata;
  const type = status?.type ?? "bill";
  const number = type === "bill" ? name : (status?.number ?? name);
  const found = useView<IssuedDocument | BillDocument>(kind, ref, "document");
  const phase = status?.phase ?? "";
  return (
    <Stack gap="md">
      <div className="no-print">
        <PageHead
          tab={`${TYPES[type]} ${number}`}
          title={
            <Group gap="md" component="span">
              <span>
                {TYPES[type]} {number}
              </span>
              <Text component="span" size="sm" role="status">
                <StateBadge state={phase} />
              </Text>
            </Group>
          }
          trail={
            <Anchor component={Link} to={page("billing/invoices")} size="sm">
              Invoices
            </Anchor>
          }
        >
          <Button
            variant="default"
            leftSection={<Icon name="external" size={16} />}
            onClick={() => window.print()}
          >
            Print
          </Button>
          <Files invoice={invoice} issued={type !== "bill"} />
          {type === "bill" ? null : <Actions kind={kind} resource={invoice} />}
        </PageHead>
        {type === "bill" ? <Standing invoice={invoice} /> : null}
      </div>
      {found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : null}
      {!found.data && !found.isError ? <PageSkeleton /> : null}
      {found.data ? (
        "seller" in found.data ? (
          <Paper made={found.data} />
        ) : (
          <Bill bill={found.data} />
        )
      ) : null}
      {type === "bill" ? null : <Settled invoice={invoice} />}
      <Equivalent
        command={[
          "invoice",
          "get",
          name,
          ...(type === "bill" ? [] : ["-o", "pdf", "--to", `${name}.pdf`]),
        ]}
        call={{ method: "GET", path: `/providers/${ref}/${type === "bill" ? "document" : "pdf"}` }}
        also={
          type === "bill"
            ? []
            : [
                {
                  command: ["invoice", "payments", name],
                  call: { method: "GET", path: `/providers/${ref}/payments` },
                },
              ]
        }
      />
    </Stack>
  );
}

/** What a month's bill is, since it is no invoice. */
function Standing({ invoice }: { invoice: Invoice }) {
  const { resource } = useAddress();
  const { phase, number, period } = invoice.status ?? {};
  if (phase === "issued" && number) {
    const to = resource(invoice.metadata.ref.replace(/[^/]+$/, number.toLowerCase()));
    return (
      <Text size="sm">
        What was used in {period}. It was issued as{" "}
        <Anchor component={Link} to={to ?? "."} size="sm">
          invoice {number}
        </Anchor>
        .
      </Text>
    );
  }
  return (
    <Alert color="gray" variant="outline" icon={<Icon name="info" />}>
      {phase === "draft"
        ? `What was used in ${period} so far. It is no invoice yet, and grows until the month is over.`
        : `What was used in ${period}. The month is closed; its invoice is not issued yet.`}
    </Alert>
  );
}

function Files({ invoice, issued }: { invoice: Invoice; issued: boolean }) {
  const { name, ref } = invoice.metadata;
  return (
    <Menu shadow="md" position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" size={16} />}>
          Download
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void download(`${pathOf(ref)}/pdf`, `${name}.pdf`)}>
          {issued ? "PDF, with its XML inside" : "PDF of the draft"}
        </Menu.Item>
        {issued ? (
          <>
            <Menu.Item onClick={() => void download(`${pathOf(ref)}/xml`, `${name}.xml`)}>
              XML, EN 16931 (Factur-X)
            </Menu.Item>
            <Menu.Item
              onClick={() =>
                void download(`${pathOf(ref)}/xml`, `${name}-ubl.xml`, { syntax: "ubl" })
              }
            >
              XML, EN 16931 (Peppol, UBL)
            </Menu.Item>
          </>
        ) : null}
        <Menu.Item onClick={() => void download(`${pathOf(ref)}/focus`, `${name}.parquet`)}>
          FOCUS 1.2 (Parquet)
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
