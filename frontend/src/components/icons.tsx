/** Drawings, all decorative: the words beside them say the same. */
import type { ReactNode } from "react";

export function Icon({ children, size = 16 }: { readonly children: ReactNode; readonly size?: number }): ReactNode {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const LINE = { fill: "none", strokeWidth: 1.8, strokeLinecap: "round", strokeLinejoin: "round" } as const;

/** A disc with a tick. */
export const ManyIcon = (): ReactNode => (
  <Icon>
    <circle cx="8" cy="8" r="7.5" fill="currentColor" />
    <path d="M4.8 8.3l2.2 2.2 4.2-4.6" {...LINE} stroke="var(--level-ink)" />
  </Icon>
);

/** A triangle. */
export const FewIcon = (): ReactNode => (
  <Icon>
    <path d="M8 .9l7.4 13.6H.6z" fill="currentColor" />
    <path d="M8 6v4" {...LINE} stroke="var(--level-ink)" />
    <circle cx="8" cy="12.3" r="1" fill="var(--level-ink)" />
  </Icon>
);

/** A diamond. */
export const LastIcon = (): ReactNode => (
  <Icon>
    <path d="M8 .2L15.8 8 8 15.8.2 8z" fill="currentColor" />
    <path d="M8 4.3v4.2" {...LINE} stroke="var(--level-ink)" />
    <circle cx="8" cy="11.2" r="1" fill="var(--level-ink)" />
  </Icon>
);

/** A square with a bar. */
export const NoneIcon = (): ReactNode => (
  <Icon>
    <rect x="1" y="1" width="14" height="14" rx="1.5" fill="currentColor" />
    <path d="M4.5 8h7" {...LINE} strokeWidth="2.2" stroke="var(--level-ink)" />
  </Icon>
);

/** An arrow that turns back. */
export const UndoIcon = (): ReactNode => (
  <Icon size={18}>
    <path d="M5.5 2.5L2.5 5.5l3 3M2.5 5.5h6.8a4 4 0 0 1 0 8H6" {...LINE} stroke="currentColor" strokeWidth="1.5" />
  </Icon>
);

/** An arrow that turns forward. */
export const RedoIcon = (): ReactNode => (
  <Icon size={18}>
    <path d="M10.5 2.5l3 3-3 3M13.5 5.5H6.7a4 4 0 0 0 0 8H10" {...LINE} stroke="currentColor" strokeWidth="1.5" />
  </Icon>
);

/** Two bars, as on what is paused. */
export const PausedIcon = (): ReactNode => (
  <Icon size={12}>
    <path d="M5 2v12M11 2v12" {...LINE} strokeWidth="3" stroke="currentColor" />
  </Icon>
);

export const SunIcon = (): ReactNode => (
  <Icon size={18}>
    <circle cx="8" cy="8" r="3" {...LINE} stroke="currentColor" strokeWidth="1.5" />
    <path
      d="M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M3 13l1.1-1.1M11.9 4.1L13 3"
      {...LINE}
      stroke="currentColor"
      strokeWidth="1.5"
    />
  </Icon>
);

export const MoonIcon = (): ReactNode => (
  <Icon size={18}>
    <path d="M13.5 9.6A6 6 0 1 1 6.4 2.5a4.8 4.8 0 0 0 7.1 7.1z" {...LINE} stroke="currentColor" strokeWidth="1.5" />
  </Icon>
);

export const PersonIcon = (): ReactNode => (
  <Icon size={18}>
    <circle cx="8" cy="5" r="2.8" {...LINE} stroke="currentColor" strokeWidth="1.5" />
    <path d="M2.5 14.5c.6-3 2.8-4.6 5.5-4.6s4.9 1.6 5.5 4.6" {...LINE} stroke="currentColor" strokeWidth="1.5" />
  </Icon>
);

export const BellIcon = (): ReactNode => (
  <Icon size={18}>
    <path
      d="M8 1.5a4.3 4.3 0 0 0-4.3 4.3c0 3.6-1.4 4.9-1.4 5.7h11.4c0-.8-1.4-2.1-1.4-5.7A4.3 4.3 0 0 0 8 1.5zM6.5 13.8a1.6 1.6 0 0 0 3 0"
      {...LINE}
      stroke="currentColor"
      strokeWidth="1.5"
    />
  </Icon>
);

/** Half light, half dark: as the device is. */
export const AutoIcon = (): ReactNode => (
  <Icon size={18}>
    <circle cx="8" cy="8" r="6" {...LINE} stroke="currentColor" strokeWidth="1.5" />
    <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
  </Icon>
);

export const CrossIcon = (): ReactNode => (
  <Icon>
    <path d="M4 4l8 8M12 4l-8 8" {...LINE} stroke="currentColor" />
  </Icon>
);
