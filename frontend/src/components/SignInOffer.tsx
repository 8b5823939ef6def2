/** The demo's sign-in inside a page; nothing where there is no demo. Whoever signed in is led to the page they came for. */
import { lazy, type ReactNode, Suspense } from "react";
import { useDemoUsers } from "../demo";
import type { Role } from "../session";
import styles from "./SignInOffer.module.css";

const SignIn = lazy(async () => ({ default: (await import("./SignIn")).SignIn }));

export function SignInOffer({ role }: { readonly role: Role }): ReactNode {
  if (useDemoUsers().length === 0) return null;
  return (
    <div className={styles["offer"]}>
      <Suspense>
        <SignIn role={role} onDone={() => requestAnimationFrame(() => document.getElementById("content")?.focus())} />
      </Suspense>
    </div>
  );
}
