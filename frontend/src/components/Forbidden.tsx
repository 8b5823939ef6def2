/** A page that is for another role than whoever is signed in has. */
import type { ReactNode } from "react";
import { useSpeech } from "../hooks";
import type { Role } from "../session";
import { Notice } from "./Notice";
import { SignInOffer } from "./SignInOffer";

export function Forbidden({ role }: { readonly role: Role }): ReactNode {
  const { t } = useSpeech();
  return (
    <Notice title={t("place.forbidden")} hint={t("place.forbidden.hint", { role: t(`role.${role}`) })}>
      <SignInOffer role={role} />
    </Notice>
  );
}
