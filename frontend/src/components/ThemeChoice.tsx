/** Light, dark, or as the device is. */
import { type MantineColorScheme, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useSpeech } from "../hooks";
import { Flyout } from "./Flyout";
import { AutoIcon, MoonIcon, SunIcon } from "./icons";
import styles from "./ThemeChoice.module.css";

const SCHEMES: readonly { readonly scheme: MantineColorScheme; readonly Icon: () => ReactNode }[] = [
  { scheme: "light", Icon: SunIcon },
  { scheme: "dark", Icon: MoonIcon },
  { scheme: "auto", Icon: AutoIcon },
];

export function ThemeChoice(): ReactNode {
  const { t } = useSpeech();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const shown = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const name = useId();
  return (
    <Flyout label={t("scheme")} title={t("scheme")} face={shown === "dark" ? <MoonIcon /> : <SunIcon />}>
      <fieldset className={styles["schemes"]}>
        <legend className="strong">{t("scheme")}</legend>
        {SCHEMES.map(({ scheme, Icon }) => (
          <label key={scheme}>
            <input
              type="radio"
              name={name}
              value={scheme}
              checked={scheme === colorScheme}
              onChange={() => setColorScheme(scheme)}
            />
            <Icon />
            {t(`scheme.${scheme}`)}
          </label>
        ))}
      </fieldset>
    </Flyout>
  );
}
