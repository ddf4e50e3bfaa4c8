/** One figure that matters, with what it is. */
import { Text } from "@mantine/core";
import classes from "./Fact.module.css";

interface Props {
  label: string;
  value: string;
  note?: string;
  /** On a closer look, where the figure is not all of it. */
  exact?: string;
}

export function Fact({ label, value, note, exact }: Props) {
  return (
    <div className={`surface ${classes.fact}`}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <div className={classes.value} title={exact}>
        {value}
      </div>
      {note ? (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      ) : null}
    </div>
  );
}
