/** A button of the header and the panel that it opens. Escape closes it, and so does looking elsewhere. */
import { createContext, type ReactNode, use, useCallback, useEffect, useId, useRef, useState } from "react";
import styles from "./Flyout.module.css";

const CloseContext = createContext<() => void>(() => undefined);

/** For what is in a panel: closes it, and goes back to the button. */
export function useClose(): () => void {
  return use(CloseContext);
}

interface Props {
  /** What the button is called. */
  readonly label: string;
  /** What the button looks like. */
  readonly face: ReactNode;
  /** What the panel is called. */
  readonly title: string;
  readonly children: ReactNode;
  readonly onToggle?: (open: boolean) => void;
}

export function Flyout({ label, face, title, children, onToggle }: Props): ReactNode {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  const toggled = useRef(onToggle);
  useEffect(() => {
    toggled.current = onToggle;
  });

  const close = useCallback(() => {
    setOpen(false);
    button.current?.focus();
  }, []);

  useEffect(() => {
    if (!open) return undefined;
    panel.current?.focus({ preventScroll: true });
    toggled.current?.(true);
    const leave = ({ target }: Event): void => {
      if (target instanceof Node && !root.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("focusin", leave);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("focusin", leave);
      toggled.current?.(false);
    };
  }, [open]);

  return (
    <div
      ref={root}
      onKeyDown={(event) => {
        if (event.key === "Escape" && open) close();
      }}
    >
      <button
        ref={button}
        type="button"
        className={styles["button"]}
        aria-label={label}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        {face}
      </button>
      {open && (
        <div ref={panel} id={id} role="dialog" aria-label={title} tabIndex={-1} className={styles["panel"]}>
          <CloseContext value={close}>{children}</CloseContext>
        </div>
      )}
    </div>
  );
}
