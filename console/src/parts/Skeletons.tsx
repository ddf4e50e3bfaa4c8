/** The shape of what is coming. Shown only after a moment, so that what is quick does not flash. */
import { Skeleton, Stack } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";

/** Its children, after `ms`. */
export function Late({ ms = 150, children }: { ms?: number; children: ReactNode }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return shown ? children : <span aria-busy="true" hidden />;
}

export function RowsSkeleton({ rows = 6 }: { rows?: number }) {
  return (
    <Late>
      <Stack gap="sm" p="sm" aria-busy="true" aria-label="Loading">
        {Array.from({ length: rows }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
          <Skeleton key={index} height={18} width={`${92 - ((index * 17) % 40)}%`} />
        ))}
      </Stack>
    </Late>
  );
}

export function PageSkeleton() {
  return (
    <Late>
      <Stack gap="lg" aria-busy="true" aria-label="Loading">
        <Skeleton height={28} width={240} />
        <Skeleton height={14} width="60%" />
        <Skeleton height={220} />
      </Stack>
    </Late>
  );
}
