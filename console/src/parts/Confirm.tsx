/** A question before something that can't be taken back; it names what it is about. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { ProblemAlert } from "./ProblemAlert";

interface Props {
  opened: boolean;
  close: () => void;
  title: string;
  /** What will happen, and what can't be taken back. */
  children: ReactNode;
  /** The button's word: "Delete", "Cancel job". */
  verb: string;
  danger?: boolean;
  /** To be typed before it is done, for what is large. */
  typed?: string;
  pending?: boolean;
  error?: unknown;
  confirm: () => void;
}

export function Confirm(props: Props) {
  const { opened, close, title, children, verb, danger, typed, pending, error, confirm } = props;
  const [text, setText] = useState("");
  const ready = typed === undefined || text === typed;
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) confirm();
        }}
      >
        <Stack gap="md">
          {typeof children === "string" ? <Text size="sm">{children}</Text> : children}
          {typed === undefined ? null : (
            <TextInput
              label={`Type ${typed} to go on`}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
          )}
          {error ? <ProblemAlert error={error} /> : null}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Keep it as it is
            </Button>
            <Button
              type="submit"
              color={danger ? "red.8" : undefined}
              loading={pending}
              disabled={!ready}
              data-autofocus={typed === undefined ? true : undefined}
            >
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
