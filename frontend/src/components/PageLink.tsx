/** A link to another page of the application, in the language of this one. */
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useSpeech } from "../hooks";
import type { Language } from "../text";

interface Props {
  readonly to: string;
  readonly className?: string | undefined;
  /** The page that is shown is the one it leads to, or one that belongs there. */
  readonly current?: boolean | "within";
  readonly children: ReactNode;
}

export function PageLink({ to, className, current = false, children }: Props): ReactNode {
  const { language } = useSpeech();
  return (
    <Link to={addressed(to, language)} className={className} aria-current={current === true ? "page" : current === "within" ? true : undefined}>
      {children}
    </Link>
  );
}

/** An address within the application, to be read in this language; French needs no word. */
export function addressed(address: string, language: Language): string {
  const url = new URL(address, "http://any");
  url.searchParams.delete("lang");
  if (language !== "fr") url.searchParams.set("lang", language);
  return url.pathname + url.search + url.hash;
}
