/** Budgets: what is spent and held of each, and at what it warns. */
import { Anchor, Button, Group, Progress, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import type { Document } from "~/api/types";
import { EmptyState } from "~/parts/EmptyState";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { useAddress, useScope } from "~/shell/scope";
import { amount, nanoOf, percent } from "./amounts";
import classes from "./Budgets.module.css";

interface Budget extends Document {
  spec: { amount: string; workspace?: string; thresholds?: number[] };
  status?: Document["status"] & {
    phase?: string;
    spent?: string;
    held?: string;
    left?: string;
    currency?: string;
  };
}

export function Budgets() {
  const kind = useCatalogue().kind("budget");
  const scope = useScope();
  const { page } = useAddress();
  const found = useList<Budget>(kind, scope, { limit: 100 });
  const make = (
    <Button
      component={Link}
      to={page("create/budget")}
      variant="default"
      leftSection={<Icon name="create" size={16} />}
    >
      Create budget
    </Button>
  );
  if (found.isError && !found.data) {
    return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  }
  if (!found.data) return <RowsSkeleton rows={2} />;
  const budgets = found.data.items;
  return (
    <Stack gap="sm">
      {budgets.length === 0 ? (
        <EmptyState icon="billing" title="There is no budget yet" action={make}>
          A budget stops spending before it happens: what does not fit into it is not started.
        </EmptyState>
      ) : (
        <>
          <div className={classes.budgets}>
            {budgets.map((budget) => (
              <One key={budget.metadata.ref} budget={budget} />
            ))}
          </div>
          <Group className="no-print">{make}</Group>
        </>
      )}
    </Stack>
  );
}

function One({ budget }: { budget: Budget }) {
  const { resource } = useAddress();
  const { spec, status = {}, metadata } = budget;
  const currency = status.currency ?? "";
  const whole = nanoOf(spec.amount);
  const spent = nanoOf(status.spent);
  const held = nanoOf(status.held);
  const used = percent(spent, whole);
  const left = nanoOf(status.left);
  const words = `${amount(status.spent, currency)} of ${amount(spec.amount, currency)} spent`;
  return (
    <div className={`surface ${classes.budget}`}>
      <Group justify="space-between" wrap="nowrap">
        <Anchor component={Link} to={resource(metadata.ref) ?? "."} fw={600} size="sm">
          {metadata.name}
        </Anchor>
        <StateBadge state={status.phase ?? ""} />
      </Group>
      <Text size="xs" c="dimmed">
        {spec.workspace ? `Workspace ${spec.workspace}` : "The whole tenant"}, this month
      </Text>
      <Progress.Root size="lg" mt={6} aria-hidden="true">
        <Progress.Section value={used} color={colour(status.phase)} />
        <Progress.Section value={percent(held, whole)} color="gray.5" striped />
      </Progress.Root>
      <Text size="sm" mt={4} className="tabular">
        {words}
      </Text>
      <Text size="xs" c="dimmed" className="tabular">
        {left < 0n
          ? `${amount(status.left?.replace("-", ""), currency)} over it`
          : `${amount(status.left, currency)} left`}
        {held > 0n ? `, ${amount(status.held, currency)} held for what runs` : ""}
      </Text>
      <Text size="xs" c="dimmed">
        Warns at {(spec.thresholds ?? [50, 80, 100]).map((one) => `${one} %`).join(", ")}
      </Text>
    </div>
  );
}

function colour(phase: string | undefined): string {
  if (phase === "exhausted") return "red.7";
  return phase === "warning" ? "yellow.7" : "sea.7";
}
