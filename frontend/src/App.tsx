/** What is around every page: language, bookings, announcements, header. */
import { type ReactNode, useEffect, useState } from "react";
import { BookingsContext, useBookingsOfTab } from "./bookings";
import { Announcer } from "./components/Announcer";
import { Header } from "./components/Header";
import { SpeechContext } from "./hooks";
import { RandomNumberDisplay } from "./pages/RandomNumberDisplay";
import { TourDashboard } from "./pages/TourDashboard";
import { type Language, speech } from "./text";

/** Where the demo's random numbers are; everything else is the tours. */
const NUMBERS = "/random-numbers";

interface Props {
  readonly path: string;
  readonly language: Language;
  readonly storage: Storage | null;
  /** A person chose another language. */
  readonly onLanguage: (language: Language) => void;
}

export function App({ path, language: first, storage, onLanguage }: Props): ReactNode {
  const [language, setLanguage] = useState(first);
  const bookings = useBookingsOfTab(storage);
  const spoken = speech(language);
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = spoken.t("page.title");
  }, [language, spoken]);
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
          {path === NUMBERS ? <RandomNumberDisplay /> : <TourDashboard />}
        </Announcer>
      </BookingsContext>
    </SpeechContext>
  );
}
