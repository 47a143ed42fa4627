/** The product's mark: a doorway within a doorway. */
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
