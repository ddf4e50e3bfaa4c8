/** How much is taken of what there is, in words and as a bar. */
import { Group, Progress, Text } from "@mantine/core";
import type { Room } from "./place";

interface Props extends Room {
  label: string;
  format: (value: number) => string;
}

export function RoomBar({ label, free, total, format }: Props) {
  const used = total > 0 ? Math.min(100, (100 * Math.max(total - free, 0)) / total) : 0;
  return (
    <div>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="xs" c="dimmed" truncate title={label}>
          {label}
        </Text>
        <Text size="xs" className="tabular" style={{ whiteSpace: "nowrap" }}>
          {format(free)} of {format(total)} free
        </Text>
      </Group>
      <Progress
        value={used}
        size="sm"
        mt={2}
        color={used > 90 ? "orange.7" : "sea.6"}
        aria-label={`${label}: ${Math.round(used)} % taken`}
      />
    </div>
  );
}

export const cores = (millicores: number): string =>
  (millicores / 1000).toLocaleString("en", { maximumFractionDigits: 1 });
