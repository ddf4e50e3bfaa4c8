/** The console's looks: sober, with the colours of a rock in the sea. All text is at least AA. */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = [
  "#e8f6fa",
  "#d3e9f0",
  "#a6d2df",
  "#76bacd",
  "#4fa5bd",
  "#2f93ae",
  "#1a849f",
  "#10758f",
  "#0b5f76",
  "#074a5d",
];

const gray: MantineColorsTuple = [
  "#f6f8f9",
  "#edf1f3",
  "#e1e7ea",
  "#d2dade",
  "#bcc7cd",
  "#98a6ae",
  "#71818b",
  "#4c5a63",
  "#344048",
  "#1f282e",
];

const dark: MantineColorsTuple = [
  "#dbe3e7",
  "#b3c0c7",
  "#8fa0a9",
  "#5c6d77",
  "#3d4b54",
  "#2e3a42",
  "#243038",
  "#1a242b",
  "#141c22",
  "#0e1519",
];

export const theme = createTheme({
  colors: { sea, gray, dark },
  primaryColor: "sea",
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: "sm",
  black: "#17212a",
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.78rem", sm: "0.875rem", md: "0.95rem", lg: "1.08rem", xl: "1.25rem" },
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.55rem", lineHeight: "1.25" },
      h2: { fontSize: "1.15rem", lineHeight: "1.3" },
      h3: { fontSize: "1rem", lineHeight: "1.35" },
    },
  },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Table: { defaultProps: { verticalSpacing: "xs", horizontalSpacing: "sm" } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250, multiline: true, maw: 320 } },
    // A dialog's head is no banner of the page.
    ModalHeader: { defaultProps: { component: "div" } },
    // What it would put there is no entry of a menu.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: {
      defaultProps: { centered: false, radius: "md", closeButtonProps: { "aria-label": "Close" } },
    },
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", comboboxProps: { shadow: "md" } } },
  },
});

/** Mantine's own dimmed, error and link colours are too faint to read for some. */
export const variables: CSSVariablesResolver = () => ({
  variables: {
    "--skerry-good": "light-dark(#1b7a43, #5cc98a)",
    "--skerry-busy": "light-dark(#0b6b8a, #5bb8d4)",
    "--skerry-warn": "light-dark(#8a5a00, #e0ad4f)",
    "--skerry-bad": "light-dark(#b3261e, #ff8a80)",
    "--skerry-idle": "light-dark(#5a6872, #9aabb4)",
  },
  light: {
    "--mantine-color-body": "#fbfcfd",
    "--mantine-color-dimmed": "#55646e",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-anchor": "#0b5f76",
    "--mantine-color-placeholder": "#64737d",
    "--skerry-surface": "#ffffff",
    "--skerry-line": "#dde4e8",
  },
  dark: {
    "--mantine-color-body": "#11181d",
    "--mantine-color-dimmed": "#a3b2ba",
    "--mantine-color-error": "#ff8a80",
    "--mantine-color-anchor": "#76bacd",
    "--mantine-color-placeholder": "#92a3ad",
    "--skerry-surface": "#182128",
    "--skerry-line": "#2a363e",
  },
});
