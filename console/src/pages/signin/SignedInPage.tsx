/** Where an issuer sends the browser back to. */
import { Anchor, Center, Loader, Stack } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { comeBack } from "~/api/signing";
import { ProblemAlert } from "~/parts/ProblemAlert";

export default function SignedInPage() {
  const [query] = useSearchParams();
  const go = useNavigate();
  const [error, setError] = useState<unknown>();
  const begun = useRef(false);
  useEffect(() => {
    // The code works once, and React's strict mode runs effects twice.
    if (begun.current) return;
    begun.current = true;
    comeBack(query).then((back) => go(back, { replace: true }), setError);
  }, [query, go]);
  return (
    <Center component="main" mih="100dvh" p="md">
      {error ? (
        <Stack maw={420}>
          <ProblemAlert error={error} />
          <Anchor component={Link} to="/sign-in">
            To the sign-in page
          </Anchor>
        </Stack>
      ) : (
        <Loader aria-label="Signing in" />
      )}
    </Center>
  );
}
