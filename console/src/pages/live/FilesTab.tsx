/** The files that it kept, to be taken home. */
import { ActionIcon, Stack, Table, Tooltip } from "@mantine/core";
import { namesIn } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { pathOf, useView } from "~/api/queries";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { size } from "~/parts/formats";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { download } from "~/parts/saving";
import { Ago } from "~/parts/Values";
import type { TabProps } from "~/shell/areas";
import { flagsOf } from "../resources/ResourcePage";

interface File {
  rank: number;
  path: string;
  size: number;
  modifiedAt: string;
}

export default function FilesTab({ kind, resource }: TabProps) {
  const { ref } = resource.metadata;
  const found = useView<{ items: File[] }>(kind, ref, "files", {}, { refresh: 30 });
  const early = found.isError && asProblem(found.error).status === 404;
  const files = found.data?.items ?? [];
  return (
    <Stack gap="md">
      {early || (found.data && files.length === 0) ? (
        <EmptyState icon="download" title="There are no files">
          {kind.noun === "job"
            ? "A job keeps the files that “Files to keep” names, when they are there at its end."
            : "What it writes into its directory stands here while it runs."}
        </EmptyState>
      ) : found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : found.data ? (
        <Listed files={files} base={`${pathOf(ref)}/files`} />
      ) : (
        <RowsSkeleton />
      )}
      <Equivalent
        command={[kind.noun, "files", ...flagsOf(kind, namesIn(kind, ref))]}
        call={{ method: "GET", path: `${pathOf(ref)}/files` }}
      />
    </Stack>
  );
}

function Listed({ files, base }: { files: readonly File[]; base: string }) {
  const several = files.some(({ rank }) => rank > 0);
  return (
    <Table.ScrollContainer type="native" minWidth={320} className="surface" tabIndex={0}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            {several ? <Table.Th>Copy</Table.Th> : null}
            <Table.Th>File</Table.Th>
            <Table.Th ta="end">Size</Table.Th>
            <Table.Th>Written</Table.Th>
            <Table.Th aria-label="Download" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {files.map((file) => (
            <Table.Tr key={`${file.rank}/${file.path}`}>
              {several ? <Table.Td>{file.rank}</Table.Td> : null}
              <Table.Td className="mono">{file.path}</Table.Td>
              <Table.Td ta="end" className="tabular">
                {size(file.size)}
              </Table.Td>
              <Table.Td>
                <Ago at={file.modifiedAt} />
              </Table.Td>
              <Table.Td ta="end">
                <Tooltip label={`Download ${file.path}`}>
                  <ActionIcon
                    variant="subtle"
                    aria-label={`Download ${file.path}`}
                    onClick={() => void fetched(base, file)}
                  >
                    <Icon name="download" size={16} />
                  </ActionIcon>
                </Tooltip>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function fetched(base: string, { rank, path }: File): Promise<void> {
  const where = path.split("/").map(encodeURIComponent).join("/");
  return download(`${base}/${rank}/${where}`, path.split("/").at(-1) ?? "file");
}
