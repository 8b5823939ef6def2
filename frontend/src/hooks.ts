/** Words and figures in the page's language. */
import { createContext, use } from "react";
import { type Speech, speech } from "./text";

export const SpeechContext = createContext<Speech>(speech("fr"));

export function useSpeech(): Speech {
  return use(SpeechContext);
}
