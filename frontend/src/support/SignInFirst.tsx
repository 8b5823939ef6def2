/** What the chat says to somebody who is not signed in; in the demo, who they may be. */
import { lazy, type ReactNode, Suspense } from "react";
import { useDemoUsers } from "../demo";
import { useSpeech } from "../hooks";
import styles from "./SignInFirst.module.css";

const SignIn = lazy(async () => ({ default: (await import("../components/SignIn")).SignIn }));

export function SignInFirst(): ReactNode {
  const { t } = useSpeech();
  const demo = useDemoUsers().length > 0;
  return (
    <div className={styles["first"]}>
      <div className={styles["words"]}>
        <p className="strong">{t("chat.signIn")}</p>
        <p className="muted">{t("chat.signIn.hint")}</p>
      </div>
      {demo && (
        <Suspense>
          <SignIn onDone={() => undefined} />
        </Suspense>
      )}
    </div>
  );
}
