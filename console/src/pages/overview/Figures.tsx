/** What runs, what it costs now and this month, and how much budget is left. */
import { SimpleGrid, Skeleton } from "@mantine/core";
import { useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import type { Document } from "~/api/types";
import { counted } from "~/parts/formats";
import { Money } from "~/parts/Values";
import { useScope } from "~/shell/scope";
import { nanoOf, rough, sum } from "./figures";
import type { TopItem } from "./rooms";
import { Tile } from "./Tile";

export function Figures({ top }: { top: readonly TopItem[] | undefined }) {
  const scope = useScope();
  const catalogue = useCatalogue();
  const months = useList(catalogue.kind("invoice"), scope, { sort: "-created", limit: 10 });
  const budgets = useList(catalogue.kind("budget"), scope, { limit: 1000 });
  const draft = months.data?.items.find(({ status }) => status?.phase === "draft");
  const currency = String(
    draft?.status?.currency ?? top?.find(({ cost }) => cost)?.cost?.currency ?? "",
  );
  const nothing = <Skeleton height={28} width={90} />;
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }} spacing={{ base: "xs", sm: "md" }}>
      <Tile label="Runs now" note={scope.workspace ? `in ${scope.workspace}` : "no workspace yet"}>
        {top
          ? counted(Number(sum(top.map(({ tasks }) => tasks))), "task")
          : scope.workspace
            ? nothing
            : "0"}
      </Tile>
      <Tile label="Costs now" note={scope.workspace ? `an hour, in ${scope.workspace}` : ""}>
        {top || !scope.workspace ? (
          <Money
            nano={sum((top ?? []).map(({ cost }) => cost?.perHourNano ?? 0))}
            currency={currency}
          />
        ) : (
          nothing
        )}
      </Tile>
      <Tile
        label="This month"
        note={draft ? `all workspaces, ${draft.metadata.name}` : "so far"}
        to="billing"
      >
        {months.data ? rough(nanoOf(draft?.status?.exact), currency) : nothing}
      </Tile>
      <Budget budgets={budgets.data?.items} />
    </SimpleGrid>
  );
}

/** Of the budget that ends first, because that one stops things. */
function Budget({ budgets }: { budgets: readonly Document[] | undefined }) {
  if (!budgets) {
    return (
      <Tile label="Budget left">
        <Skeleton height={28} width={90} />
      </Tile>
    );
  }
  const left = ({ status }: Document): bigint => nanoOf(status?.left);
  const [first] = budgets.toSorted((one, other) => (left(one) < left(other) ? -1 : 1));
  if (!first) {
    return (
      <Tile label="Budget left" to="kinds/budget" note="Nothing but credit stops spending">
        none set
      </Tile>
    );
  }
  const note = `of ${first.spec.amount} ${first.status?.currency ?? ""}, budget ${first.metadata.name}`;
  return (
    <Tile label="Budget left" to="kinds/budget" note={note}>
      <Money nano={left(first)} currency={String(first.status?.currency ?? "")} />
    </Tile>
  );
}
