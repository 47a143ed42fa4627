// A place to call the routes from; what is measured is the calls.
export default function Page() {
  return <main>The web arrangement</main>;
}
