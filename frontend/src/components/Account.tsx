/** Who is signed in, in the header: their name and roles, the way out, and in the demo the way to be somebody. */
import { Button } from "@mantine/core";
import { lazy, type ReactNode, Suspense } from "react";
import { useDemoUsers } from "../demo";
import { useSpeech } from "../hooks";
import { type Session, useSession, useSessions } from "../session";
import styles from "./Account.module.css";
import { useAnnounce } from "./Announcer";
import { Flyout, useClose } from "./Flyout";
import { PersonIcon } from "./icons";
import { Roles } from "./Roles";

const SignIn = lazy(async () => ({ default: (await import("./SignIn")).SignIn }));

/** Nothing where nobody is signed in and nobody can: there the site that links here brings who comes. */
export function Account(): ReactNode {
  const { t } = useSpeech();
  const session = useSession();
  const demo = useDemoUsers().length > 0;
  if (session === null && !demo) return null;
  const label = session === null ? t("account.signIn") : t("account.of", { name: session.userId });
  return (
    <Flyout label={label} title={t("account")} face={<Face session={session} />}>
      <div className={styles["account"]}>
        {session !== null && <SignedIn session={session} />}
        {demo && (
          <Suspense fallback={<p className="muted">{t("place.loading")}</p>}>
            <SignInHere />
          </Suspense>
        )}
      </div>
    </Flyout>
  );
}

function Face({ session }: { readonly session: Session | null }): ReactNode {
  const { t } = useSpeech();
  return (
    <>
      {session === null ? (
        <PersonIcon />
      ) : (
        <span className={styles["initial"]} data-initial={[...session.userId][0]?.toUpperCase()} />
      )}
      <span className={styles["name"]}>{session?.userId ?? t("account.signIn")}</span>
    </>
  );
}

function SignInHere(): ReactNode {
  return <SignIn onDone={useClose()} />;
}

function SignedIn({ session }: { readonly session: Session }): ReactNode {
  const { t } = useSpeech();
  const { signOut } = useSessions();
  const close = useClose();
  const announce = useAnnounce();
  return (
    <section className={styles["signedIn"]} aria-label={t("account.you")}>
      <p className="muted">{t("account.you")}</p>
      <p className={styles["you"]}>{session.userId}</p>
      <Roles roles={session.roles} />
      <Button
        variant="default"
        fullWidth
        onClick={() => {
          close();
          signOut();
          announce(t("account.signedOut"));
        }}
      >
        {t("account.signOut")}
      </Button>
    </section>
  );
}
