// A page from which the routes are called; the calls are measured.
export default function Page() {
  return <main>The web arrangement</main>;
}
