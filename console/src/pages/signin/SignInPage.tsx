/** The ways in: password, token, an issuer. */
import {
  Alert,
  Button,
  Center,
  Divider,
  Group,
  Paper,
  PasswordInput,
  Stack,
  Tabs,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Navigate, useNavigate, useSearchParams } from "react-router";
import { useSession } from "~/api/session";
import { leaveForIssuer, signInByToken, waysIn } from "~/api/signing";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { Logo } from "~/shell/Logo";
import { PasswordForm } from "./PasswordForm";
import { RecoveryCodes } from "./RecoveryCodes";

export default function SignInPage() {
  const session = useSession();
  const go = useNavigate();
  const [query] = useSearchParams();
  const [codes, setCodes] = useState<string[]>([]);
  const back = safe(query.get("back"));
  useEffect(() => {
    document.title = "Sign in · Skerry";
  }, []);
  if (codes.length > 0) return <RecoveryCodes codes={codes} done={() => void go(back)} />;
  if (session) return <Navigate to={back} replace />;
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder radius="md" p="xl" w="100%" maw={400} className="surface">
        <Stack gap="lg">
          <Group gap="sm" justify="center">
            <Logo size={38} />
            <Title order={1}>Skerry</Title>
          </Group>
          {query.get("ended") ? (
            <Alert variant="outline" color="yellow" icon={<Icon name="clock" />} role="status">
              Your session has ended. Sign in to go on where you were.
            </Alert>
          ) : null}
          <Tabs defaultValue="password" keepMounted={false}>
            <Tabs.List grow mb="md">
              <Tabs.Tab value="password">Password</Tabs.Tab>
              <Tabs.Tab value="token">Token</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="password">
              <PasswordForm recovery={setCodes} />
              <Issuers back={back} />
            </Tabs.Panel>
            <Tabs.Panel value="token">
              <TokenForm />
            </Tabs.Panel>
          </Tabs>
        </Stack>
      </Paper>
    </Center>
  );
}

/** Only ever back into the console. */
function safe(back: string | null): string {
  return back?.startsWith("/") && !back.startsWith("//") ? back : "/";
}

function TokenForm() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<unknown>();
  const [pending, setPending] = useState(false);
  const submit = async (): Promise<void> => {
    setPending(true);
    setError(undefined);
    try {
      await signInByToken(token);
    } catch (problem) {
      setError(problem);
      setPending(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack>
        <PasswordInput
          label="Token"
          description="An API token, or the operator's. It stays in this tab."
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoComplete="off"
          required
          data-autofocus
        />
        {error ? <ProblemAlert error={error} /> : null}
        <Button type="submit" loading={pending} fullWidth>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

function Issuers({ back }: { back: string }) {
  const ways = useQuery({ queryKey: ["ways"], queryFn: ({ signal }) => waysIn(signal) });
  const [query] = useSearchParams();
  const [tenant, setTenant] = useState(query.get("tenant") ?? "");
  const issuers = ways.data?.issuers ?? [];
  if (issuers.length === 0) return null;
  return (
    <Stack mt="lg">
      <Divider label="or" />
      <TextInput
        label="Tenant"
        description="Which tenant you belong to"
        value={tenant}
        onChange={(event) => setTenant(event.currentTarget.value.trim())}
        autoComplete="organization"
      />
      {issuers.map((issuer) => (
        <Button
          key={issuer.name}
          variant="default"
          disabled={!tenant}
          onClick={() => void leaveForIssuer(issuer.name, tenant, back)}
        >
          With {issuer.displayName}
        </Button>
      ))}
      {tenant ? null : (
        <Text size="xs" c="dimmed">
          Say your tenant first.
        </Text>
      )}
    </Stack>
  );
}
