/** The demo's sign-in: be one of its people, or another name with the roles one likes. */
import { Button } from "@mantine/core";
import type { DemoUser } from "@seatcast/client";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { Refused } from "../api";
import { useDemoSignIn, useDemoUsers } from "../demo";
import { useSpeech } from "../hooks";
import { type Role, ROLES, useSession } from "../session";
import { useAnnounce } from "./Announcer";
import { titles } from "./Roles";
import styles from "./SignIn.module.css";

/** What the service takes for a name. */
const NAME_LIMIT = 128;

interface Props {
  /** Offer only those who have this role. */
  readonly role?: Role;
  readonly onDone: () => void;
}

export function SignIn({ role, onDone }: Props): ReactNode {
  const { t } = useSpeech();
  const session = useSession();
  const users = useDemoUsers();
  const signIn = useDemoSignIn();
  const announce = useAnnounce();
  const headingId = useId();
  const [failure, setFailure] = useState<string | null>(null);

  async function be(user: DemoUser): Promise<void> {
    setFailure(null);
    try {
      await signIn(user);
      announce(t("signIn.done", { name: user.userId }));
      onDone();
    } catch (error) {
      setFailure(error instanceof Refused ? error.message : t("signIn.unanswered"));
    }
  }

  const offered = users.filter(
    ({ userId, roles }) => userId !== session?.userId && (role === undefined || roles.includes(role)),
  );
  return (
    <section className={styles["signIn"]} aria-labelledby={headingId}>
      <p className="strong" id={headingId}>
        {t(session === null ? "signIn.heading" : "signIn.other")}
      </p>
      <p className={styles["hint"]}>{t("signIn.hint")}</p>
      <ul className={styles["people"]}>
        {offered.map((user) => (
          <li key={user.userId}>
            <Person user={user} onChoose={() => void be(user)} />
          </li>
        ))}
      </ul>
      <Other role={role} onChoose={be} />
      <p className="field-error" role="alert">
        {failure}
      </p>
      <p className={styles["hint"]}>{t("signIn.tabs")}</p>
    </section>
  );
}

function Person({ user, onChoose }: { readonly user: DemoUser; readonly onChoose: () => void }): ReactNode {
  const { t } = useSpeech();
  const roles = titles(user.roles);
  return (
    <button type="button" className={styles["person"]} onClick={onChoose}>
      <span>
        <span className="strong">{user.userId}</span> {roles.map((role) => t(`role.${role}`)).join(", ")}
      </span>{" "}
      <span className={styles["hint"]}>{roles.map((role) => t(`role.${role}.may`)).join(" ")}</span>
    </button>
  );
}

interface OtherProps {
  /** Chosen to begin with. */
  readonly role: Role | undefined;
  readonly onChoose: (user: DemoUser) => Promise<void>;
}

function Other({ role: needed, onChoose }: OtherProps): ReactNode {
  const { t } = useSpeech();
  const id = useId();

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void onChoose({ userId: String(form.get("name")).trim(), roles: form.getAll("role").map(String) });
  }

  return (
    <details className={styles["other"]}>
      <summary>{t("signIn.name.other")}</summary>
      <form onSubmit={submit}>
        <label htmlFor={id}>{t("signIn.name")}</label>
        <input
          id={id}
          name="name"
          required
          pattern=".*\S.*"
          title={t("signIn.name.hint")}
          maxLength={NAME_LIMIT}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
        <fieldset>
          <legend>{t("signIn.roles")}</legend>
          {ROLES.map((role) => (
            <label key={role}>
              <input type="checkbox" name="role" value={role} defaultChecked={role === needed} /> {t(`role.${role}`)}
            </label>
          ))}
        </fieldset>
        <Button type="submit" fullWidth>
          {t("signIn.submit")}
        </Button>
      </form>
    </details>
  );
}
