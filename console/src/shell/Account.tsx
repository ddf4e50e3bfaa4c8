/** Who one is, light or dark, and the way out. */
import {
  ActionIcon,
  type MantineColorScheme,
  Menu,
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
    <Menu shadow="md" width={250} position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="You, looks, signing out">
          <Icon name="person" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
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
        <Menu.Divider />
        <Menu.Label>Looks</Menu.Label>
        <Scheme />
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="out" size={16} />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Light, dark, or as the system has it. */
export function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      m="xs"
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
