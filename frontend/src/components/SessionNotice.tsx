/** Says that the session has expired, whose it was, and how to go on. Nothing otherwise. */
import { Alert, Button, Container } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useDemoSignIn, useDemoUsers } from "../demo";
import { useSpeech } from "../hooks";
import { useExpired, useSessions } from "../session";

export function SessionNotice(): ReactNode {
  const { t } = useSpeech();
  const { signOut } = useSessions();
  const expired = useExpired();
  const demo = useDemoUsers().length > 0;
  const signIn = useDemoSignIn();
  const [failed, setFailed] = useState(false);
  if (expired === null) return null;
  const { userId, roles } = expired;

  async function again(): Promise<void> {
    setFailed(false);
    await signIn({ userId, roles }).catch(() => setFailed(true));
  }

  return (
    <Container size="xl" pt="md">
      <Alert color="orange" title={t("session.expired", { name: userId })}>
        <div className="notice-line">
          <span>{failed ? t("signIn.unanswered") : t(demo ? "session.expired.demo" : "session.expired.hint")}</span>
          <span>
            {demo && (
              <Button size="xs" mr="xs" onClick={() => void again()}>
                {t("session.again", { name: userId })}
              </Button>
            )}
            <Button size="xs" variant="default" onClick={signOut}>
              {t("session.close")}
            </Button>
          </span>
        </div>
      </Alert>
    </Container>
  );
}
