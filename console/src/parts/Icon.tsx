/** The console's pictograms: one stroke, one size, of the text's colour. */
import { type CSSProperties, memo } from "react";

const PATHS = {
  overview: "M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z",
  create: "M12 5v14M5 12h14",
  workloads: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5",
  places:
    "M12 21s-6.5-5.6-6.5-10.6a6.5 6.5 0 0113 0C18.5 15.400 12 21 12 21zM12 12.500a2.200 2.200 0 100-4.400 2.200 2.200 0 000 4.400z",
  billing: "M5 4h11l3 3v13H5zM9 10h6M9 14h6M9 17h3",
  audit: "M12 3l7 3v5.500c0 4.500-3 8-7 9.500-4-1.500-7-5-7-9.500V6zM9 12l2.200 2.200L15.200 10",
  people:
    "M9 11a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM3 20c0-3.500 2.700-6 6-6s6 2.500 6 6M16 4.500a3.500 3.500 0 010 6.300M18 14.500c2 .9 3.200 3 3.200 5.500",
  person:
    "M12 11.500a3.700 3.700 0 100-7.400 3.700 3.700 0 000 7.400zM5 20c0-3.700 3.100-6.300 7-6.300s7 2.600 7 6.300",
  layers: "M12 4l8.500 4.500L12 13 3.500 8.500zM4 12.500l8 4.200 8-4.200M4 16.300l8 4.200 8-4.200",
  book: "M6 4h12v16H6zM9.500 4v16M12.500 8.500h3M12.500 12h3",
  file: "M6 3.500h8l4 4V20.500H6zM13.500 3.500V8H18M9 12h6M9 15.500h6",
  disk: "M4.500 6.500c0-1.400 3.400-2.500 7.500-2.500s7.500 1.100 7.500 2.500-3.400 2.500-7.500 2.500-7.500-1.100-7.500-2.500zM4.500 6.500v11c0 1.400 3.400 2.500 7.500 2.500s7.500-1.100 7.500-2.500v-11M4.500 12c0 1.400 3.400 2.500 7.500 2.500s7.500-1.100 7.500-2.500",
  settings:
    "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.500 2.500 0 100-5 2.500 2.500 0 000 5zM9 19.500a2.500 2.500 0 100-5 2.500 2.500 0 000 5z",
  search: "M11 18a7 7 0 100-14 7 7 0 000 14zM20 20l-4-4",
  copy: "M9 9h10v11H9zM6 15H5V4h10v2",
  check: "M5 12.500l4.500 4.500L19 7.500",
  close: "M6 6l12 12M18 6L6 18",
  warn: "M12 4l9 16H3zM12 10v4.500M12 17.300v.2",
  info: "M12 21a9 9 0 100-18 9 9 0 000 18zM12 11v5M12 8v.2",
  sun: "M12 16a4 4 0 100-8 4 4 0 000 8zM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600L7 7M17 17l1.400 1.400M5.600 18.400L7 17M17 7l1.400-1.400",
  moon: "M20 14.500A8 8 0 119.500 4a6.500 6.500 0 0010.500 10.500z",
  auto: "M12 21a9 9 0 100-18 9 9 0 000 18zM12 3v18M12 7l4.500 2M12 11.500l6 1M12 16l4.500 1",
  out: "M14 4h5v16h-5M4 12h10M10.500 8.500L14 12l-3.500 3.500",
  menu: "M4 7h16M4 12h16M4 17h16",
  down: "M6 9.500l6 6 6-6",
  up: "M6 14.500l6-6 6 6",
  left: "M14.500 6l-6 6 6 6",
  right: "M9.500 6l6 6-6 6",
  terminal: "M4 5h16v14H4zM7.500 9.500l3 2.500-3 2.500M12.500 15h4",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5",
  more: "M6 12v.1M12 12v.1M18 12v.1",
  refresh: "M19 8a8 8 0 10.800 6M19.500 4v4.500H15",
  download: "M12 4v11M7.500 11L12 15.500 16.500 11M5 20h14",
  external: "M10 5H5v14h14v-5M13.500 4.500h6v6M19 5l-8.500 8.500",
  key: "M8.500 16a4.500 4.500 0 113.600-7.200L20 8.800v3h-2.500v2.500h-3v-2.200l-2-.1A4.500 4.500 0 018.500 16zM8 11.500v.1",
  clock: "M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5.300l3.500 2",
  play: "M8 5l11 7-11 7z",
  stop: "M6.500 6.500h11v11h-11z",
  bell: "M6.500 17V11a5.500 5.500 0 0111 0v6l1.500 1.500H5zM10 20.500c1 .8 3 .8 4 0",
  chart: "M4 4v16h16M8 15l3.500-4.500 3 2.500L19.500 7",
  filter: "M4 5h16l-6.300 7.500V19l-3.400-2v-4.500z",
  columns: "M4 5h16v14H4zM9.400 5v14M14.700 5v14",
  link: "M10 14a4 4 0 005.700 0l3-3A4 4 0 0013 5.300l-1 1M14 10a4 4 0 00-5.700 0l-3 3A4 4 0 0011 18.700l1-1",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  /** In pixels. */
  size?: number;
  style?: CSSProperties;
}

/** Decoration only: what it means stands beside it, or in the control's label. */
export const Icon = memo(function Icon({ name, size = 18, style }: Props) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      style={{ flexShrink: 0, ...style }}
    >
      <path d={PATHS[name]} />
    </svg>
  );
});
