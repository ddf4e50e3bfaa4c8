/** Who one is, light or dark, and the way out. */
import {
  ActionIcon,
  Button,
  Divider,
  type MantineColorScheme,
  Popover,
  SegmentedControl,
  Stack,
  Text,
  useMantineColorScheme,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { useSignedIn } from "~/api/session";
import { signOut } from "~/api/signing";
import { Icon } from "~/parts/Icon";

export function Account() {
  const session = useSignedIn();
  const client = useQueryClient();
  const go = useNavigate();
  const leave = async (): Promise<void> => {
    try {
      await signOut();
    } finally {
      client.clear();
      await go("/sign-in");
    }
  };
  return (
    <Popover shadow="md" width={250} position="bottom-end" trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="You, looks, signing out">
          <Icon name="person" />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label="You, looks, signing out">
        <Stack gap={0} px="sm" py="xs">
          <Text size="sm" fw={600}>
            {session.displayName || session.subject}
          </Text>
          <Text size="xs" c="dimmed">
            {session.subject} in {session.tenant}
          </Text>
          {session.operator ? (
            <Text size="xs" c="dimmed">
              Operator of this cloud
            </Text>
          ) : null}
        </Stack>
        <Divider />
        <Text size="xs" c="dimmed" px="sm" py={6}>
          Looks
        </Text>
        <Scheme inset />
        <Divider />
        <Button
          variant="subtle"
          color="gray"
          fullWidth
          justify="flex-start"
          c="var(--mantine-color-text)"
          leftSection={<Icon name="out" size={16} />}
          onClick={() => void leave()}
        >
          Sign out
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

/** Light, dark, or as the system has it. */
export function Scheme({ inset = false }: { inset?: boolean }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      m={inset ? "xs" : 0}
      mt={0}
      value={colorScheme}
      onChange={(value) => setColorScheme(value as MantineColorScheme)}
      data={[
        { value: "light", label: "Light" },
        { value: "dark", label: "Dark" },
        { value: "auto", label: "System" },
      ]}
    />
  );
}
