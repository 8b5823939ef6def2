/** What a page's failure costs: that page, until it is reloaded or another is gone to. */
import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { SpeechContext } from "../hooks";
import { Notice } from "./Notice";

interface Props {
  readonly children: ReactNode;
}

interface State {
  readonly broken: boolean;
}

export class PageBoundary extends Component<Props, State> {
  static override contextType = SpeechContext;
  declare context: React.ContextType<typeof SpeechContext>;
  override state: State = { broken: false };

  static getDerivedStateFromError(): State {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    const { t } = this.context;
    return (
      <Notice title={t("place.broken")} hint={t("place.broken.hint")}>
        <Button mt="md" onClick={() => location.reload()}>
          {t("place.reload")}
        </Button>
      </Notice>
    );
  }
}
