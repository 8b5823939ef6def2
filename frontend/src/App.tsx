/** What is around every page: language, bookings, announcements, header, who is signed in; and which page it is. */
import { Container, Skeleton, VisuallyHidden } from "@mantine/core";
import { type ReactNode, Suspense, useEffect, useState } from "react";
import { Route, Switch, useLocation, useSearch } from "wouter";
import { useArrival } from "./arrival";
import { BookingsContext, useBookingsOfTab } from "./bookings";
import { Announcer } from "./components/Announcer";
import { Forbidden } from "./components/Forbidden";
import { Header } from "./components/Header";
import { Notice } from "./components/Notice";
import { PageBoundary } from "./components/PageBoundary";
import { addressed, PageLink } from "./components/PageLink";
import { SessionNotice } from "./components/SessionNotice";
import { Live } from "./freshness";
import { SpeechContext, useSpeech } from "./hooks";
import { type PageProps, PLACES, type Place } from "./places";
import { has, useSession } from "./session";
import { SupportChat } from "./support/SupportChat";
import { type Language, languageOf, speech } from "./text";

interface Props {
  readonly language: Language;
  readonly storage: Storage | null;
  /** A person chose another language. */
  readonly onLanguage: (language: Language) => void;
}

export function App({ language: first, storage, onLanguage }: Props): ReactNode {
  const [language, setLanguage] = useState(first);
  const person = useSession()?.userId ?? "";
  const [path] = useLocation();
  const bookings = useBookingsOfTab(storage);
  const arrive = useArrival();
  const spoken = speech(language);
  useAddressIn(language);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return (
    <SpeechContext value={spoken}>
      <BookingsContext value={bookings}>
        <Announcer>
          <Header
            onLanguage={(chosen) => {
              setLanguage(chosen);
              onLanguage(chosen);
            }}
          />
          <SessionNotice />
          {/* Of what one person saw and did nothing stays for the next. */}
          <Live>
            <Pages key={person} path={path} onArrive={arrive} />
          </Live>
          <SupportChat />
        </Announcer>
      </BookingsContext>
    </SpeechContext>
  );
}

/** The chosen language stays in the address, wherever one goes and comes back to. */
function useAddressIn(language: Language): void {
  const [path, navigate] = useLocation();
  const search = useSearch();
  useEffect(() => {
    if (languageOf(search) === language) return;
    navigate(addressed(`${path}?${search}`, language), { replace: true, state: history.state as unknown });
  }, [path, search, language, navigate]);
}

interface PagesProps {
  readonly path: string;
  readonly onArrive: (path: string) => void;
}

function Pages({ path, onArrive }: PagesProps): ReactNode {
  return (
    <PageBoundary at={path}>
      <Suspense fallback={<Loading />}>
        <Switch>
          {PLACES.map((place) => (
            <Route key={place.path} path={place.path}>
              {(params) => (
                <>
                  <Guarded key={place.stays ? "" : path} place={place} params={params} />
                  <Arrival path={place.stays ? place.path : path} onArrive={onArrive} />
                </>
              )}
            </Route>
          ))}
          <Route>
            <Missing />
            <Arrival path={path} onArrive={onArrive} />
          </Route>
        </Switch>
      </Suspense>
    </PageBoundary>
  );
}

/** Nothing to see: it is there as soon as the page beside it is. */
function Arrival({ path, onArrive }: PagesProps): ReactNode {
  useEffect(() => onArrive(path), [path, onArrive]);
  return null;
}

function Guarded({ place, params }: { readonly place: Place; readonly params: PageProps["params"] }): ReactNode {
  const session = useSession();
  const { role, Page } = place;
  return role === undefined || has(session, role) ? <Page params={decoded(params)} /> : <Forbidden role={role} />;
}

/** The router leaves those characters escaped that have a meaning in addresses. */
function decoded(params: PageProps["params"]): PageProps["params"] {
  const escaped = /%(?:2[346BCF]|3[ABDF]|40)/gi;
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, value?.replace(escaped, (one) => decodeURIComponent(one))]),
  );
}

function Missing(): ReactNode {
  const { t } = useSpeech();
  return (
    <Notice title={t("place.missing")} hint={t("place.missing.hint")}>
      <p>
        <PageLink to="/">{t("place.back")}</PageLink>
      </p>
    </Notice>
  );
}

function Loading(): ReactNode {
  const { t } = useSpeech();
  return (
    <Container component="main" size="xl" id="content" tabIndex={-1} className="page">
      <VisuallyHidden role="status">{t("place.loading")}</VisuallyHidden>
      <Skeleton height={36} width="40%" />
      <Skeleton height={160} mt={24} />
    </Container>
  );
}
