/** A link to another page of the application, in the language of this one. */
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useSpeech } from "../hooks";
import type { Language } from "../text";

interface Props {
  readonly to: string;
  readonly className?: string;
  /** The page that is shown is the one it leads to. */
  readonly current?: boolean;
  readonly children: ReactNode;
}

export function PageLink({ to, className, current = false, children }: Props): ReactNode {
  const { language } = useSpeech();
  return (
    <Link to={addressed(to, language)} className={className} aria-current={current ? "page" : undefined}>
      {children}
    </Link>
  );
}

/** A path with the language that it is to be read in; French needs no word. */
export function addressed(path: string, language: Language): string {
  return language === "fr" ? path : `${path}${path.includes("?") ? "&" : "?"}lang=${language}`;
}
