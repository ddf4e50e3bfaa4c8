/** Which key proofs are checked with here, and how to give another one. */
import { Anchor, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { FormDialog } from "~/parts/FormDialog";
import { moment } from "~/parts/formats";
import { Failed } from "./bytes";
import { onPinned, pin, pinned } from "./pinned";
import { handedKey } from "./prove";

/** `checked`: what to do once another key is kept. */
export function OperatorKey({ checked }: { checked: () => void }) {
  const kept = useSyncExternalStore(onPinned, pinned);
  const [asked, setAsked] = useState(false);
  return (
    <Group gap="xs">
      <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {kept
          ? `Checked with the key ${kept.text.split("+").slice(0, 2).join("+")}, ${
              kept.given ? "which you gave this browser" : "which this browser saw first"
            } on ${moment(kept.at).slice(0, 10)}.`
          : "Checked with the key that this cloud hands out; this browser keeps it from then on."}
      </Text>
      <Anchor component="button" type="button" size="xs" onClick={() => setAsked(true)}>
        Use a key of your own
      </Anchor>
      {asked ? <Dialog close={() => setAsked(false)} done={checked} /> : null}
    </Group>
  );
}

function Dialog({ close, done }: { close: () => void; done: () => void }) {
  const [text, setText] = useState(pinned()?.text ?? "");
  const keep = useMutation({
    mutationFn: () => pin(text, true),
    onSuccess: () => {
      close();
      done();
    },
  });
  const fetched = useMutation({ mutationFn: handedKey, onSuccess: (key) => setText(key.trim()) });
  return (
    <FormDialog
      title="The operator's key"
      verb="Keep this key"
      close={close}
      submit={() => keep.mutate()}
      pending={keep.isPending}
      error={fetched.error}
    >
      <Stack gap="sm">
        <Text size="sm">
          A key that comes from the same cloud as its proofs says little. Paste the one that you
          have from the operator another way: on paper, by telephone, from their website. This
          browser keeps it, and says so when the cloud hands out another.
        </Text>
        <Textarea
          label="The key"
          description="It reads name+id+base64"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={keep.error instanceof Failed ? keep.error.message : undefined}
          classNames={{ input: "mono" }}
          autosize
          spellCheck={false}
          data-autofocus
        />
        <Button
          variant="default"
          size="xs"
          w="fit-content"
          loading={fetched.isPending}
          onClick={() => fetched.mutate()}
        >
          Take what the cloud hands out now
        </Button>
      </Stack>
    </FormDialog>
  );
}
