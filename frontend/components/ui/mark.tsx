/** A large picture of doorways within doorways, for pages with much room. */
export function Arches({ className }: { className?: string }) {
  const widths = [150, 112, 76, 42];
  return (
    <svg viewBox="0 0 320 320" aria-hidden="true" className={className}>
      {widths.map((half, depth) => (
        <path
          key={half}
          d={`M${160 - half} 320V${160 + depth * 8}a${half} ${half} 0 0 1 ${half * 2} 0V320Z`}
          className="fill-accent"
          fillOpacity={[0.07, 0.1, 0.16, 1][depth]}
        />
      ))}
    </svg>
  );
}

/** The product's logo: a doorway within a doorway. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={className}>
      <path
        d="M5 29V14a11 11 0 0 1 22 0v15"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.5"
        strokeLinecap="round"
      />
      <path d="M11.5 29V15.5a4.5 4.5 0 0 1 9 0V29Z" fill="currentColor" />
    </svg>
  );
}
