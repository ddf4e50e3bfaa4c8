/** One figure that matters, with what it is. */
import { Text } from "@mantine/core";
import classes from "./Fact.module.css";

interface Props {
  label: string;
  value: string;
  note?: string;
}

export function Fact({ label, value, note }: Props) {
  return (
    <div className={`surface ${classes.fact}`}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <div className={classes.value}>{value}</div>
      {note ? (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      ) : null}
    </div>
  );
}
