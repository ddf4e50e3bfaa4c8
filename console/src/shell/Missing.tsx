/** The address names a tenant or a workspace that is not there; what there is, is offered. */
import { Anchor, Container, List, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { useSignedIn } from "~/api/session";
import { PageHead } from "~/parts/PageHead";
import { Logo } from "./Logo";
import { at, useScope } from "./scope";

interface Props {
  what: "tenant" | "workspace";
  /** The workspaces that there are. */
  names: readonly string[];
}

export function Missing({ what, names }: Props) {
  const { tenant, workspace } = useScope();
  const session = useSignedIn();
  return (
    <Container component="main" size="sm" py="xl">
      <Stack align="flex-start" className="surface" p="xl">
        <Logo size={34} />
        <PageHead
          title={
            what === "tenant"
              ? `There is no tenant ${tenant}`
              : `There is no workspace ${workspace}`
          }
          about={
            what === "tenant"
              ? "Its name is wrong, it is gone, or you may not know of it."
              : `The tenant ${tenant} has no workspace of that name. It has these:`
          }
        />
        {what === "workspace" ? (
          <List>
            {names.slice(0, 50).map((name) => (
              <List.Item key={name}>
                <Anchor component={Link} to={at({ tenant, workspace: name })}>
                  {name}
                </Anchor>
              </List.Item>
            ))}
          </List>
        ) : null}
        {what === "workspace" && names.length === 0 ? (
          <Text>
            None yet.{" "}
            <Anchor component={Link} to={at({ tenant, workspace: "" }, "create/workspace")}>
              Make one
            </Anchor>
          </Text>
        ) : null}
        <Anchor component={Link} to={`/${encodeURIComponent(session.tenant)}`}>
          To your own tenant, {session.tenant}
        </Anchor>
      </Stack>
    </Container>
  );
}
