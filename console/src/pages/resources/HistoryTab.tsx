/** The states it went through, newest first. */
import { Stack, Text, Timeline } from "@mantine/core";
import { EmptyState } from "~/parts/EmptyState";
import { moment, words } from "~/parts/formats";
import { StateBadge, toneOf } from "~/parts/StateBadge";
import { Ago } from "~/parts/Values";
import type { TabProps } from "~/shell/areas";

export default function HistoryTab({ resource }: TabProps) {
  const conditions = resource.status?.conditions ?? [];
  if (conditions.length === 0) {
    return <EmptyState icon="clock" title="Nothing has happened to it yet" />;
  }
  return (
    <Timeline active={conditions.length} lineWidth={2} bulletSize={12} maw={720}>
      {conditions.map((condition) => (
        <Timeline.Item
          key={`${condition.lastTransitionAt} ${condition.state}`}
          color={`var(--skerry-${toneOf(condition.state)})`}
          title={<StateBadge state={condition.state} />}
        >
          <Stack gap={2}>
            <Text size="xs" c="dimmed" className="tabular">
              {moment(condition.lastTransitionAt)} (<Ago at={condition.lastTransitionAt} />)
            </Text>
            {condition.reason ? <Text size="sm">{words(condition.reason)}</Text> : null}
            {condition.message ? <Text size="sm">{condition.message}</Text> : null}
          </Stack>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
