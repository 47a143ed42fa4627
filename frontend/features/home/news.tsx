"use client";

import { useEffect, useState } from "react";
import * as v from "valibot";
import { day } from "@/lib/format";
import { desktop } from "@/lib/vestibule";

const newsSchema = v.array(v.object({ date: v.string(), title: v.string(), text: v.string() }));
type News = v.InferOutput<typeof newsSchema>;

const SHOWN = 3;

/**
 * News for everyone, read without the session. This part of the page is left out where there is no
 * news or the server does not answer.
 */
export function NewsSection() {
  const [news, setNews] = useState<News>([]);
  useEffect(() => {
    const controller = new AbortController();
    read(controller.signal).then(
      (found) => setNews(found.slice(0, SHOWN)),
      () => undefined,
    );
    return () => controller.abort();
  }, []);

  if (news.length === 0) return null;
  return (
    <section aria-label="What is new" className="mt-10 border-t border-line pt-8">
      <h2 className="text-sm font-semibold text-muted">What is new</h2>
      <ul className="mt-4 grid gap-x-10 gap-y-6 sm:grid-cols-3">
        {news.map(({ date, title, text }) => (
          <li key={`${date} ${title}`}>
            <p className="text-xs text-muted">
              <time dateTime={date}>{day(date)}</time>
            </p>
            <h3 className="mt-1 font-semibold">{title}</h3>
            <p className="mt-1 text-sm text-muted">{text}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

async function read(signal: AbortSignal): Promise<News> {
  const { origin } = await desktop.appInfo();
  const response = await desktop.publicFetch(`${origin}/public/news`, signal);
  return response.ok ? v.parse(newsSchema, await response.json()) : [];
}
