/** A choice among hundreds, by typing a part of its name: time zones, currencies. */
import "@mantine/core/styles/Combobox.css";
import "@mantine/core/styles/Input.css";
import "@mantine/core/styles/Popover.css";
import { Select } from "@mantine/core";
import { memo, type ReactNode } from "react";
import { useSpeech } from "../hooks";
import styles from "./operate.module.css";

export interface Choice {
  readonly value: string;
  readonly label: string;
}

interface Props {
  readonly label: string;
  readonly description: string;
  readonly error: string | undefined;
  readonly choices: readonly Choice[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const SHOWN = 60;

/** Drawn again only for itself: hundreds of choices at each letter in another field would be felt. */
export const ChoiceFromMany = memo(function ChoiceFromMany(props: Props): ReactNode {
  const { label, description, error, choices, value, onChange } = props;
  const { t } = useSpeech();
  return (
    <Select
      label={label}
      description={description}
      error={error}
      data={choices}
      value={value}
      allowDeselect={false}
      searchable
      limit={SHOWN}
      // Beside its field, so that it is in the page's own part for screen readers too; and what scrolls is the list itself.
      comboboxProps={{ withinPortal: false }}
      withScrollArea={false}
      classNames={{ options: styles["options"] ?? "" }}
      filter={({ options, search }) =>
        options.filter((option) => "label" in option && "value" in option && plain(option.label).includes(plain(search)))
      }
      nothingFoundMessage={t("operate.choice.none")}
      onChange={(chosen) => {
        if (chosen !== null) onChange(chosen);
      }}
    />
  );
});

/** Without accents, capitals and underscores: "sao paulo" finds America/Sao_Paulo. */
function plain(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .replaceAll("_", " ")
    .toLowerCase()
    .trim();
}
