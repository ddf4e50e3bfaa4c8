/** Rows that are added and taken out again: the frame that lists and maps share. */
import { ActionIcon, Button, Group, Input, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon } from "~/parts/Icon";

interface Props {
  label: string;
  help?: string;
  error?: ReactNode;
  required: boolean;
  /** Whether no further one may be added. */
  full: boolean;
  add: () => void;
  children: ReactNode;
}

export function Rows({ label, help, error, required, full, add, children }: Props) {
  return (
    <Input.Wrapper
      label={label}
      description={help || undefined}
      error={error}
      withAsterisk={required}
      labelElement="div"
    >
      <Stack gap="xs" mt={6}>
        {children}
        <Group>
          <Button
            size="xs"
            variant="default"
            aria-label={`Add to ${label.toLowerCase()}`}
            disabled={full}
            leftSection={<Icon name="create" size={14} />}
            onClick={add}
          >
            Add
          </Button>
        </Group>
      </Stack>
    </Input.Wrapper>
  );
}

/** Takes a row out. */
export function Remove(props: { label: string; disabled: boolean; remove: () => void }) {
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      mt={4}
      aria-label={props.label}
      disabled={props.disabled}
      onClick={props.remove}
    >
      <Icon name="close" size={16} />
    </ActionIcon>
  );
}
