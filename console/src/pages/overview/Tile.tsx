/** One figure that matters. */
import { Anchor, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useAddress } from "~/shell/scope";

interface Props {
  label: string;
  children: ReactNode;
  /** Below it: what it is of. */
  note?: ReactNode;
  /** The page that says more. */
  to?: string;
}

export function Tile({ label, children, note, to }: Props) {
  const { page } = useAddress();
  return (
    <Stack gap={2} className="surface" p="md">
      {to ? (
        <Anchor component={Link} to={page(to)} size="sm">
          {label}
        </Anchor>
      ) : (
        <Text size="sm" c="dimmed">
          {label}
        </Text>
      )}
      <Text
        fz={{ base: 19, xs: 24 }}
        fw={640}
        lh={1.25}
        className="tabular"
        component="div"
        style={{ overflowWrap: "normal" }}
      >
        {children}
      </Text>
      <Text size="xs" c="dimmed" component="div" mih={18}>
        {note}
      </Text>
    </Stack>
  );
}
