/** An address at which there is nothing. */
import { Anchor, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { PageHead } from "~/parts/PageHead";

export function NotFound({ what = "page" }: { what?: string }) {
  return (
    <Stack align="flex-start">
      <PageHead title={`There is no such ${what}`} />
      <Text>The address is wrong, or what was here is gone.</Text>
      <Anchor component={Link} to="/">
        To the beginning
      </Anchor>
    </Stack>
  );
}
