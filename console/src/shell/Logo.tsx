/** A rock above the waves. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      aria-hidden="true"
      style={{ flexShrink: 0 }}
    >
      <path d="M4 21 L11 9.5 L14.5 13.5 L18.5 6 L28 21 Z" fill="var(--mantine-color-sea-6)" />
      <path d="M18.5 6 L28 21 L20 21 L16.2 10.4 Z" fill="var(--mantine-color-sea-8)" />
      <path
        d="M2.500 25.200c2.200-1.700 4.300-1.700 6.500 0s4.300 1.700 6.500 0 4.300-1.700 6.500 0 4.300 1.700 6.500 0"
        fill="none"
        stroke="var(--mantine-color-sea-4)"
        strokeWidth={2.1}
        strokeLinecap="round"
      />
    </svg>
  );
}
