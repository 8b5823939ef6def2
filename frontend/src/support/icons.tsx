/** The chat's drawings, decorative like all others. */
import type { ReactNode } from "react";
import { Icon, LINE } from "../components/icons";

export const ChatIcon = (): ReactNode => (
  <Icon size={20}>
    <path d="M2 3.5h12v8H8l-3.2 2.6v-2.6H2z" {...LINE} stroke="currentColor" strokeWidth="1.5" />
    <path d="M5 6.3h6M5 8.8h4" {...LINE} stroke="currentColor" strokeWidth="1.3" />
  </Icon>
);

export const SendIcon = (): ReactNode => (
  <Icon size={18}>
    <path d="M2 8l12-5.5L10.5 14 8 9.2z" {...LINE} stroke="currentColor" strokeWidth="1.5" />
    <path d="M14 2.5L8 9.2" {...LINE} stroke="currentColor" strokeWidth="1.5" />
  </Icon>
);
